import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Refusal } from '../../protocol/errors.ts'
import { Channel, type ChannelOptions } from './channel.ts'

const quiet: ChannelOptions = {
  answer: () => Promise.resolve(undefined),
  hear: () => undefined,
  onClose: () => undefined,
  onError: () => undefined,
}

async function sockets(t: TestContext): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const one = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [other] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    for (const socket of [one, other]) socket.destroy()
    server.close()
  })
  return [one, other]
}

test('calls go both ways, and messages come in order', async (t) => {
  const [one, other] = await sockets(t)
  const heard: unknown[] = []
  const near = new Channel(one, { ...quiet, answer: (method, args) => Promise.resolve([method, ...args]) })
  const far = new Channel(other, {
    ...quiet,
    answer: (method) =>
      method === 'refuse'
        ? Promise.reject(new Refusal('CODEC_NOT_SUPPORTED', { reason: 'codec' }))
        : Promise.resolve(new Map([['a', undefined]])),
    hear: (what, args) => heard.push([what, ...args]),
  })
  for (let at = 0; at < 100; at++) near.tell('said', at, 'x'.repeat(at * 100))
  assert.deepEqual(await near.call('plain'), new Map([['a', undefined]]))
  assert.deepEqual(
    heard.map((message) => (message as unknown[])[1]),
    Array.from({ length: 100 }, (_, at) => at),
  )
  assert.deepEqual(await far.call('back', { b: 1 }), ['back', { b: 1 }])
  await assert.rejects(near.call('refuse'), { code: 'CODEC_NOT_SUPPORTED', reason: 'codec' })
})

test('when the connection is lost, what waits fails at once, and both sides know', async (t) => {
  const [one, other] = await sockets(t)
  let closed = 0
  const onClose = (): void => {
    closed++
  }
  const near = new Channel(one, { ...quiet, onClose })
  const asked = new Promise<void>((resolve) => {
    new Channel(other, {
      ...quiet,
      onClose,
      answer: () => {
        resolve()
        return new Promise(() => undefined)
      },
    })
  })
  const waiting = assert.rejects(near.call('never'), { name: 'Unreachable' })
  await asked
  other.destroy()
  await waiting
  assert.ok(near.isClosed)
  await assert.rejects(near.call('late'), { name: 'Unreachable' })
  near.tell('late')
  near.close()
  assert.equal(closed, 2)
})

for (const [what, bytes] of [
  ['is too large', [0xff, 0xff, 0xff, 0xff]],
  ['cannot be read', [0, 0, 0, 4, 1, 2, 3, 4]],
] as const)
  test(`a message that ${what} ends the connection`, async (t) => {
    const [one, other] = await sockets(t)
    const errors: unknown[] = []
    const closed = new Promise<void>((resolve) => {
      new Channel(one, { ...quiet, onClose: resolve, onError: (error) => errors.push(error) })
    })
    other.write(Buffer.from(bytes))
    await closed
    assert.equal(errors.length, 1)
  })

test('a long message in many pieces is read, and what comes after it', async (t) => {
  const [one, other] = await sockets(t)
  const heard: unknown[] = []
  const near = new Channel(one, quiet)
  const far = new Channel(other, { ...quiet, hear: (what, args) => heard.push([what, ...args]) })
  const long = 'x'.repeat(3_000_000)
  near.tell('long', long)
  near.tell('short')
  await near.call('plain')
  assert.deepEqual(heard, [['long', long], ['short']])
  far.close()
})

test('the other side that falls silent is given up', async (t) => {
  const [one] = await sockets(t)
  const startedAt = performance.now()
  await new Promise<void>((resolve) => {
    new Channel(one, { ...quiet, onClose: resolve })
    // Its own timers do not keep the process.
    t.after(
      clearInterval.bind(
        undefined,
        setInterval(() => undefined, 1000),
      ),
    )
  })
  assert.ok(performance.now() - startedAt > 3900)
})
