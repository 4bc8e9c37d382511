/** MEDIA_TCP_ON_HTTPS: the HTTPS port serves TLS, and ICE over TCP for the transport that a request names. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { after, before, test } from 'node:test'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { stunBinding } from '../scripts/media-worker/stun.mjs'
import { createSfu } from '../src/media/create.ts'
import type { Sfu, Transport } from '../src/media/sfu.ts'
import { freePorts } from './support/ports.ts'
import { TestServer } from './support/test-server.ts'

const FIRST_BYTES_SECONDS = 2
const BINDING_SUCCESS = 0x0101
let sfu: Sfu
let server: TestServer
let port: number
let transport: Transport

before(async () => {
  const first = await freePorts(4)
  port = first + 1
  sfu = await createSfu({
    workerBin: locateWorker()!.bin,
    workers: 2,
    firstPort: first + 2,
    listenAddress: '127.0.0.1',
    sharedTcpPort: port,
    placement: 'spread',
  })
  server = await TestServer.start(
    { mediaTcpOnHttps: true, httpsPort: port, headersTimeoutSeconds: FIRST_BYTES_SECONDS },
    { sfu },
  )
  transport = await (await sfu.openRouter()).createTransport({ direction: 'send' })
})
after(async () => {
  await server.stop()
  await sfu.close()
})

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** The type of the answer to these pieces; undefined if the connection ends without one. */
async function answerTo(...pieces: Buffer[]): Promise<number | undefined> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const ended = new AbortController()
  socket.on('error', () => undefined)
  const closed = once(socket, 'close', { signal: ended.signal }).then(
    () => undefined,
    () => undefined,
  )
  const answer = once(socket, 'data').then(([data]) => (data as Buffer).readUInt16BE(2))
  answer.catch(() => undefined)
  for (const piece of pieces) {
    socket.write(piece)
    // In packets of their own.
    await new Promise((done) => setTimeout(done, 20))
  }
  const type = await Promise.race([answer, closed])
  ended.abort()
  socket.destroy()
  return type
}

test('announces the HTTPS port after the ports of the worker', () => {
  const [lowest, ...others] = [...transport.iceCandidates].sort((a, b) => a.priority - b.priority)
  assert.deepEqual([lowest?.protocol, lowest?.port], ['tcp', port])
  for (const other of others) assert.notEqual(other.port, port)
})

test('ICE for a transport reaches its worker, whole or in pieces, before and after a restart', async () => {
  const request = framed(stunBinding(transport.iceParameters))
  assert.equal(await answerTo(request), BINDING_SUCCESS)
  assert.equal(
    await answerTo(request.subarray(0, 1), request.subarray(1, 30), request.subarray(30)),
    BINDING_SUCCESS,
  )
  const renewed = await transport.restartIce()
  assert.equal(await answerTo(request), undefined)
  assert.equal(await answerTo(framed(stunBinding(renewed))), BINDING_SUCCESS)
})

test('whoever names no transport, or sends something else or nothing, is cut off', async () => {
  const nobody = framed(stunBinding({ ...transport.iceParameters, usernameFragment: 'nobody' }))
  const closed = await (await sfu.openRouter()).createTransport({ direction: 'send' })
  const gone = framed(stunBinding(closed.iceParameters))
  closed.close()
  const silent = Buffer.alloc(0)
  for (const bytes of [nobody, gone, Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.from([0]), silent])
    assert.equal(await answerTo(bytes), undefined, bytes.toString('latin1'))
})

test('the same port still speaks HTTPS', async () => {
  const health = (socket: { write(text: string): unknown }): unknown =>
    socket.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  const secure = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  health(secure)
  const [answer] = (await once(secure, 'data')) as [Buffer]
  assert.match(String(answer), /^HTTP\/1\.1 200/)
  secure.destroy()
})
