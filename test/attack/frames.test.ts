/** Frames that no client library sends, written by hand. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { encodeClientFrame } from '../../src/protocol/chat.ts'
import { TestServer } from '../support/test-server.ts'

const TEXT = 1
const BINARY = 2
const PING = 9
/** Far more than the system buffers for a client that does not read. */
const MOST_SENT = 64 * 1024 * 1024
/** A connection that is not cut is never closed. */
const timeout = 120_000

let server: TestServer
before(async () => {
  // Long enough that no connection is closed for being silent.
  server = await TestServer.start({ headersTimeoutSeconds: 600 })
})
after(() => server.stop())

/** A frame masked with zeros. */
function frame(opcode: number, payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(bytes.length < 126 ? 6 : 14)
  head[0] = 0x80 | opcode
  head[1] = 0x80 | Math.min(bytes.length, 127)
  if (bytes.length >= 126) {
    head[1] = 0x80 | 127
    head.writeBigUInt64BE(BigInt(bytes.length), 2)
  }
  return Buffer.concat([head, bytes])
}

const times = (count: number, bytes: Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => bytes))

/** Opens a WebSocket whose bytes the test writes and reads itself. */
async function open(path: string, protocol?: string): Promise<Socket> {
  const { host, hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const lines = [
    `GET ${path} HTTP/1.1`,
    `host: ${host}`,
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
    ...(protocol === undefined ? [] : [`sec-websocket-protocol: ${protocol}`]),
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 101 /)
  return socket
}

const addressOf = (meetingId: string, token: string): string =>
  `EIO=4&transport=websocket&roomId=${meetingId}&peerId=eve&secret=${token}`

/** Resolves with everything that the server sends until it cuts the connection. */
async function heardUntilCut(socket: Socket): Promise<string> {
  const heard: Buffer[] = []
  socket.on('data', (bytes: Buffer) => heard.push(bytes))
  await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(heard).toString('latin1')
}

test('a connection that requests a second socket is cut off', { timeout }, async () => {
  const meetingId = await server.createMeeting()
  const address = addressOf(meetingId, server.token(['allow_join']))
  for (const asking of ['40', '40/elsewhere,']) {
    const socket = await open(`/socket.io/?${address}`)
    socket.write(times(50, frame(TEXT, asking)))
    const heard = await heardUntilCut(socket)
    const answers = heard.match(/connectionSuccess|Invalid namespace/g) ?? []
    assert.ok(answers.length <= 1, `${asking}: ${answers.length} answers`)
  }
})

/** For each kind of socket, the address for one more participant, and how its client opens it. */
async function doors(): Promise<Record<'meeting' | 'protoo' | 'chat', () => Promise<Socket>>> {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join'])
  const ann = server.connect({ meetingId, token, participantId: 'ann' })
  const { pubSubUrl } = (await ann.join()) as { pubSubUrl: string }
  const address = addressOf(meetingId, token)
  return {
    meeting: async () => {
      const socket = await open(`/socket.io/?${address}`)
      socket.write(frame(TEXT, '40'))
      await until(socket, 'connectionSuccess')
      return socket
    },
    protoo: () => open(`/protoo?${address}`, 'protoo'),
    chat: () => open(pubSubUrl.slice(new URL(pubSubUrl).origin.length)),
  }
}

/** Resolves with everything received so far when it contains this text. */
async function until(socket: Socket, text: string): Promise<string> {
  let heard = ''
  while (!heard.includes(text)) heard += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1')
  return heard
}

/** Sends the bytes repeatedly until the connection is cut. */
async function sendUntilCut(socket: Socket, bytes: Buffer): Promise<void> {
  const closed = new Promise((resolve) => socket.once('close', resolve))
  for (let sent = 0; !socket.destroyed && sent < MOST_SENT; sent += bytes.length)
    await Promise.race([new Promise((written) => socket.write(bytes, written)), closed])
  await closed
}

test('a client that pings and reads no answer is cut off', { timeout }, async () => {
  for (const open of Object.values(await doors())) {
    const socket = await open()
    socket.pause()
    await sendUntilCut(socket, times(1000, frame(PING, 'x'.repeat(125))))
  }
})

test('a client that sends invalid requests and unrequested answers is cut off', { timeout }, async () => {
  const { meeting, protoo, chat } = await doors()
  const strays: [open: () => Promise<Socket>, ...frames: Buffer[]][] = [
    [meeting, frame(TEXT, '431[]'), frame(TEXT, `431[${'{},'.repeat(200_000)}{}]`)],
    [protoo, frame(TEXT, '{"response":true,"id":1}'), frame(TEXT, '['.repeat(900_000)), frame(TEXT, 'x')],
    [chat, frame(BINARY, encodeClientFrame('pong', { seq: 1 }))],
  ]
  for (const [open, ...frames] of strays)
    for (const one of frames) {
      const socket = await open()
      socket.resume()
      await sendUntilCut(socket, one.length > 1000 ? one : times(1000, one))
    }
})

test('refuses a message whose parts are too large together', { timeout }, async () => {
  const { meeting } = await doors()
  const socket = await meeting()
  socket.write(frame(TEXT, '4510-["request",{"_placeholder":true,"num":0}]'))
  socket.write(times(3, frame(BINARY, Buffer.alloc(500_000))))
  await heardUntilCut(socket)
})

test('the size of a message does not depend on what follows it', async () => {
  const { meeting } = await doors()
  const socket = await meeting()
  const large = JSON.stringify({ method: 'requestEntry', data: { more: 'x'.repeat(500_000) } })
  socket.write(
    Buffer.concat([
      frame(TEXT, `421["request",${large}]`),
      frame(TEXT, '422["request",{"method":"ping","data":{}}]'),
    ]),
  )
  const heard = await until(socket, '432[')
  assert.match(heard, /431\[.*PAYLOAD_TOO_LARGE/s)
  socket.destroy()
})
