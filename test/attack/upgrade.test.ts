/** The server survives a request for another protocol, whatever it is and however its sender behaves. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { TestServer } from '../support/test-server.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

const upgrade = (path: string, protocol: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    'host: localhost',
    'connection: Upgrade, HTTP2-Settings',
    `upgrade: ${protocol}`,
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n')

async function say(text: string, reset: boolean): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  let heard = ''
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    heard += String(chunk)
    // Enough was read: an admitted connection would be kept open.
    socket.destroy()
  })
  await once(socket, 'connect')
  socket.write(text)
  if (reset) setImmediate(() => socket.resetAndDestroy())
  await once(socket, 'close')
  return heard
}

const paths = [
  '//',
  '/',
  '/chat',
  '/chat?ticket=x',
  '/chat?ticket=%ff',
  '/socket.io/',
  '/socket.io/?EIO=4',
  '///',
]
paths.push('http://[', '/%', '/get-token', '*', '/socket.io/?EIO=4&transport=websocket')

test('an upgrade of any path is answered, and a sender that resets its connection affects nobody', async () => {
  for (const path of paths) {
    for (const protocol of ['websocket', 'h2c', 'WebSocket', 'x']) {
      const heard = await say(upgrade(path, protocol), false)
      assert.match(heard, /^HTTP\/1\.1 \d{3} /, `${protocol} ${path}`)
      for (let reset = 0; reset < 3; reset++) await say(upgrade(path, protocol), true)
    }
  }
  const { status } = await server.rest('GET', '/health')
  assert.equal(status, 200)
})
