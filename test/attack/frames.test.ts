/** Frames that no client sends: written by hand, past the libraries that keep clients from them. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { TestServer } from '../support/test-server.ts'

const TEXT = 1
const PING = 9
/** Far more than the system takes for one who does not read. */
const MOST_SENT = 64 * 1024 * 1024

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

/** A frame of at most 125 bytes, masked with zeros. */
const frame = (opcode: number, payload: string): Buffer =>
  Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)])

const times = (count: number, bytes: Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => bytes))

/** A WebSocket of which the test writes and reads each byte. */
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

/** Resolves with all that the server says until it cuts the connection. */
async function heardUntilCut(socket: Socket): Promise<string> {
  const heard: Buffer[] = []
  socket.on('data', (bytes: Buffer) => heard.push(bytes))
  await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(heard).toString('latin1')
}

test('a connection that asks for a second socket is cut', async () => {
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

test('a client that pings and reads no answer is cut', async () => {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join'])
  const ann = server.connect({ meetingId, token, participantId: 'ann' })
  const { pubSubUrl } = (await ann.join()) as { pubSubUrl: string }
  const doors = [
    { path: `/socket.io/?${addressOf(meetingId, token)}` },
    { path: `/protoo?${addressOf(meetingId, token)}`, protocol: 'protoo' },
    { path: pubSubUrl.slice(new URL(pubSubUrl).origin.length) },
  ]
  for (const { path, protocol } of doors) {
    const socket = await open(path, protocol)
    socket.pause()
    const pings = times(1000, frame(PING, 'x'.repeat(125)))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    let sent = 0
    while (!socket.destroyed && sent < MOST_SENT) {
      sent += pings.length
      await Promise.race([new Promise((written) => socket.write(pings, written)), closed])
    }
    assert.ok(socket.destroyed, `${path.split('?')[0]} took ${sent} bytes of pings`)
  }
})
