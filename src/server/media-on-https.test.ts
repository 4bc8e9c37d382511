/** What the first bytes of a connection to the HTTPS port tell. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttps } from 'node:https'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { stunBinding } from '../../scripts/media-worker/stun.mjs'
import { firstRequest, passMediaOn } from './media-on-https.ts'

const ice = { usernameFragment: 'fragment-of-the-server', password: 'a-password-of-ice' }
const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

test('reads the username fragment of the server from the first ICE request', () => {
  const request = framed(stunBinding(ice))
  assert.deepEqual(firstRequest(request), { usernameFragment: ice.usernameFragment })
  assert.deepEqual(firstRequest(Buffer.concat([request, Buffer.from('more')])), firstRequest(request))
})

test('waits for the rest of a request, and takes nothing else for one', () => {
  const request = framed(stunBinding(ice))
  for (let length = 0; length < request.length; length++)
    assert.equal(firstRequest(request.subarray(0, length)), 'incomplete')
  for (const other of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0, 19]),
    Buffer.from([0xff, 0xff]),
    framed(Buffer.alloc(20)),
    framed(Buffer.from(stunBinding(ice)).fill(0, 20)),
    framed(Buffer.from(stunBinding(ice)).fill(0xff, 20)),
  ])
    assert.equal(firstRequest(other), undefined)
})

const FIRST_BYTES_MS = 500

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

/** A connection to a port that passes media on to this one. */
async function connected(t: TestContext, target: number): Promise<Socket> {
  const server = createHttps()
  passMediaOn(server, {
    targetOf: () => ({ host: '127.0.0.1', port: target }),
    firstBytesMs: FIRST_BYTES_MS,
  })
  const socket = connect(await listening(server), '127.0.0.1')
  socket.on('error', () => undefined)
  t.after(() => {
    socket.destroy()
    server.close()
  })
  await once(socket, 'connect')
  return socket
}

for (const [what, accept] of [
  ['cannot be reached', undefined],
  ['resets it', (socket: Socket) => socket.resetAndDestroy()],
  ['ends it', (socket: Socket) => socket.end()],
] as const)
  test(`a connection ends if the worker ${what}`, async (t) => {
    const worker = createServer(accept)
    const port = await listening(worker)
    if (accept) t.after(() => worker.close())
    else worker.close()
    const socket = await connected(t, port)
    socket.resume().write(framed(stunBinding(ice)))
    await once(socket, 'close')
  })

test('a worker learns that the client is gone, and gets everything that came before', async (t) => {
  const got: Buffer[] = []
  const ended = Promise.withResolvers<undefined>()
  const worker = createServer((socket) => {
    socket.on('data', (data) => got.push(data)).on('close', () => ended.resolve(undefined))
  })
  t.after(() => worker.close())
  const socket = await connected(t, await listening(worker))
  const [request, more] = [framed(stunBinding(ice)), Buffer.alloc(1_000_000, 1)]
  socket.write(request)
  socket.end(more)
  await ended.promise
  assert.deepEqual(Buffer.concat(got), Buffer.concat([request, more]))
})

test('whoever sends a request byte by byte is cut off in time', async (t) => {
  const socket = await connected(t, 1)
  socket.write(Buffer.from([1, 0]))
  const drip = setInterval(() => socket.write(Buffer.alloc(1)), FIRST_BYTES_MS / 5)
  t.after(() => clearInterval(drip))
  await once(socket.resume(), 'close', { signal: AbortSignal.timeout(FIRST_BYTES_MS * 4) })
})
