/** The whiteboard over the sockets: who opens it, who gets its address, and what the address permits. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import type { ServerMessage, Shape } from '../src/protocol/whiteboard.ts'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

const CLOSED_FOR_GOOD = 4000
let server: TestServer
before(async () => {
  server = await TestServer.start({ sessionGraceSeconds: 0 })
})
after(() => server.stop())

async function enters(
  meetingId: string,
  participantId: string,
  permissions = ['allow_join'],
): Promise<WireClient> {
  const client = server.connect({ token: server.token(permissions), meetingId, participantId })
  await client.join()
  return client
}
const host = (meetingId: string): Promise<WireClient> =>
  enters(meetingId, 'host', ['allow_join', 'allow_mod'])

/** A page at the board, which knows only the address. */
class Page {
  readonly heard: ServerMessage[] = []
  readonly #socket: WebSocket
  readonly #closed: Promise<number>
  #look: () => void = () => undefined

  constructor(url: string, key = new URL(url).hash.slice(1)) {
    const address = new URL('whiteboard/socket', url)
    address.protocol = 'ws:'
    address.search = `?key=${key}`
    address.hash = ''
    this.#socket = new WebSocket(address)
    this.#closed = new Promise((resolve) => this.#socket.once('close', resolve))
    this.#socket.on('message', (data: Buffer) => {
      this.heard.push(JSON.parse(data.toString()) as ServerMessage)
      this.#look()
    })
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  async hears<D extends ServerMessage['do']>(what: D): Promise<Extract<ServerMessage, { do: D }>> {
    for (;;) {
      const found = this.heard.find((message) => message.do === what)
      if (found) return found as Extract<ServerMessage, { do: D }>
      await new Promise<void>((resolve) => (this.#look = resolve))
    }
  }

  closed(): Promise<number> {
    return this.#closed
  }

  close(): void {
    this.#socket.close()
  }
}

const shape = (id: string, fields: Partial<Shape> = {}): Shape => ({
  id,
  kind: 'pen',
  points: [1, 2, 3, 4],
  color: '#d32f2f',
  width: 4,
  ...fields,
})
const urlAt = async (client: WireClient): Promise<string> =>
  String((await client.hears('whiteboardStarted')).url)

test('opening and closing a whiteboard need allow_mod, and at first there is none to close', async () => {
  const meetingId = await server.createMeeting()
  const [moderator, guest] = [await host(meetingId), await enters(meetingId, 'guest')]
  const refused = (code: number) => (error: unknown) => error instanceof WireError && error.code === code
  await assert.rejects(guest.request('startWhiteboard', { version: 'v2' }), refused(4008))
  await assert.rejects(guest.request('stopWhiteboard', {}), refused(4008))
  await assert.rejects(moderator.request('stopWhiteboard', {}), refused(4055))
  assert.ok(!guest.heard.some(({ method }) => method === 'whiteboardStarted'))
})

test('one address for everybody, also for latecomers and whoever starts it again, until it is stopped', async () => {
  const meetingId = await server.createMeeting()
  const [moderator, guest] = [await host(meetingId), await enters(meetingId, 'guest')]
  await moderator.request('startWhiteboard', { version: 'v2' })
  const url = await urlAt(guest)
  assert.equal(await urlAt(moderator), url)
  assert.equal(await urlAt(await enters(meetingId, 'late')), url)
  await moderator.request('startWhiteboard', { version: 'v2' })
  await moderator.hears('whiteboardStarted')
  assert.equal(guest.heard.filter(({ method }) => method === 'whiteboardStarted').length, 1)

  const answer = await fetch(url, { headers: { accept: 'text/html' } })
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-security-policy')!, /frame-ancestors \*/)
  assert.equal(answer.headers.get('x-frame-options'), null)
  assert.equal(answer.headers.get('set-cookie'), null)

  const page = new Page(url)
  await page.hears('scene')
  await moderator.request('stopWhiteboard', {})
  await guest.hears('whiteboardStopped')
  assert.equal(await page.closed(), CLOSED_FOR_GOOD)
  assert.equal(await new Page(url).closed(), CLOSED_FOR_GOOD)
  // The next board is a new one, and empty.
  await moderator.request('startWhiteboard', { version: 'v2' })
  const next = await guest.hears('whiteboardStarted', (heard) => heard.url !== url)
  const fresh = new Page(String(next.url))
  assert.deepEqual((await fresh.hears('scene')).shapes, [])
  fresh.close()
})

test('everybody sees what one person draws, also after joining later or coming back', async () => {
  const meetingId = await server.createMeeting()
  await (await host(meetingId)).request('startWhiteboard', {})
  const url = await urlAt(await enters(meetingId, 'guest'))
  const [one, other] = [new Page(url), new Page(url)]
  await Promise.all([one.hears('scene'), other.hears('scene')])
  one.send({ do: 'put', shape: shape('a') })
  one.send({ do: 'extend', id: 'a', points: [5, 6] })
  assert.deepEqual(await other.hears('put'), { do: 'put', shape: shape('a') })
  assert.deepEqual(await other.hears('extend'), { do: 'extend', id: 'a', points: [5, 6] })
  other.send({ do: 'put', shape: shape('b', { kind: 'text', points: [0, 0], text: 'hello' }) })
  await one.hears('put')
  one.close()
  await one.closed()
  const back = new Page(url)
  assert.deepEqual((await back.hears('scene')).shapes, [
    shape('a', { points: [1, 2, 3, 4, 5, 6] }),
    shape('b', { kind: 'text', points: [0, 0], text: 'hello' }),
  ])
  back.send({ do: 'remove', ids: ['a', 'b'] })
  await other.hears('remove')
  for (const page of [back, other]) page.close()
})

for (const [name, message, code] of [
  ['no JSON', '{', 1007],
  ['another message', { do: 'scene', shapes: [] }, 1007],
  ['a shape of another kind', { do: 'put', shape: { ...shape('a'), kind: 'image' } }, 1007],
  ['a color that is none', { do: 'put', shape: { ...shape('a'), color: 'url(x)' } }, 1007],
  ['a field too many', { do: 'put', shape: { ...shape('a'), onclick: 'x' } }, 1007],
  ['coordinates that are none', { do: 'put', shape: { ...shape('a'), points: ['1', 2] } }, 1007],
  ['too much at once', `"${'x'.repeat(300_000)}"`, 1009],
] as const) {
  test(`a page that sends ${name} is closed, and the others are not affected`, async () => {
    const meetingId = await server.createMeeting()
    await (await host(meetingId)).request('startWhiteboard', {})
    const url = await urlAt(await enters(meetingId, 'guest'))
    const [wrong, other] = [new Page(url), new Page(url)]
    await Promise.all([wrong.hears('scene'), other.hears('scene')])
    wrong.send(message)
    // Arrives while the server waits for the answer to its close.
    wrong.send({ do: 'put', shape: shape('late') })
    assert.equal(await wrong.closed(), code)
    const later = new Page(url)
    assert.deepEqual((await later.hears('scene')).shapes, [])
    later.send({ do: 'put', shape: shape('a') })
    await other.hears('put')
    assert.equal(other.heard.length, 2)
    for (const page of [other, later]) page.close()
  })
}

for (const [name, count, message] of [
  ['many messages', 2000, { do: 'remove', ids: ['none'] }],
  // Long without being slow to read: a machine that reads slowly is not flooded.
  ['many long messages', 100, `${JSON.stringify({ do: 'remove', ids: ['none'] })}${' '.repeat(200_000)}`],
] as const) {
  test(`a page that sends ${name} at once is closed, and the others continue to draw`, async () => {
    const meetingId = await server.createMeeting()
    await (await host(meetingId)).request('startWhiteboard', {})
    const url = await urlAt(await enters(meetingId, 'guest'))
    const [flood, one, other] = [new Page(url), new Page(url), new Page(url)]
    await Promise.all([flood, one, other].map((page) => page.hears('scene')))
    for (let sent = 0; sent < count; sent += 1) flood.send(message)
    assert.equal(await flood.closed(), 1008)
    one.send({ do: 'put', shape: shape('a') })
    await other.hears('put')
    for (const page of [one, other]) page.close()
  })
}

test('a wrong key opens nothing, and a board ends with the session', async () => {
  const meetingId = await server.createMeeting()
  const moderator = await host(meetingId)
  await moderator.request('startWhiteboard', {})
  const url = await urlAt(moderator)
  const key = new URL(url).hash.slice(1)
  for (const wrong of ['', 'x', `${meetingId}.`, `${meetingId}.${'x'.repeat(24)}`, key.split('.')[1]!])
    assert.equal(await new Page(url, wrong).closed(), CLOSED_FOR_GOOD)
  const page = new Page(url)
  await page.hears('scene')
  moderator.close()
  assert.equal(await page.closed(), CLOSED_FOR_GOOD)
  assert.equal(await new Page(url).closed(), CLOSED_FOR_GOOD)
})
