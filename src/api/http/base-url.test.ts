/** Whatever host a caller names, it is told to connect to that host or to the address that it already uses. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { TestServer } from '../../../test/support/test-server.ts'
import { hostGiven } from './base-url.ts'

const own = { localAddress: '192.0.2.9', localPort: 9100 }
const named = [
  'localhost:9100',
  'meet.example',
  'meet.example.:443',
  'anteroom_app:9100',
  'app_1',
  '_x',
  'xn--bcher-kva.example',
  '192.0.2.1:9100',
  '[2001:db8::1]:9100',
  '[::1]',
]
const unnamed = [
  undefined,
  '',
  ' ',
  '0.0.0.0:9100',
  '0:9100',
  '[::]:9100',
  'a b',
  'a/b',
  'a@b',
  'a?b',
  'a#b',
  'a\\b',
  'a:b',
  'a:99999',
  '[::1',
  '[:::]',
  '::1',
  '300.1.1.1',
  '1.2.3.4.5',
  '%41',
  'b\u00fccher.example',
  '<script>',
  'x'.repeat(300),
]

test('answers with the host that the client named if others can connect to it, else with the address of the connection', () => {
  for (const header of named) assert.equal(hostGiven(header, own), header)
  for (const header of unnamed) assert.equal(hostGiven(header, own), '192.0.2.9:9100', header)
  for (const [localAddress, host] of [
    ['::ffff:192.0.2.9', '192.0.2.9:9100'],
    ['2001:db8::1', '[2001:db8::1]:9100'],
    ['fe80::1%eth0', '[fe80::1]:9100'],
    [undefined, '127.0.0.1:9100'],
  ] as const)
    assert.equal(hostGiven(undefined, { localAddress, localPort: 9100 }), host)
})

let server: TestServer
let meetingId: string
before(async () => {
  server = await TestServer.start({ host: '0.0.0.0', openGetToken: true })
  meetingId = await server.createMeeting()
})
after(() => server.stop())

/** Sends a `Host` of the caller's choice, which `fetch` does not allow. */
function post(path: string, host: string, body: unknown): Promise<any> {
  const { port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        headers: {
          host,
          authorization: server.token(['allow_join', 'allow_mod']),
          'content-type': 'application/json',
        },
      },
      (answer) => {
        let text = ''
        answer.on('data', (chunk) => (text += String(chunk)))
        answer.on('end', () => resolve(JSON.parse(text)))
      },
    )
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}

test('every address that is handed out by a listener on all addresses can be connected to', async () => {
  const { port } = new URL(server.url)
  const here = `127.0.0.1:${port}`
  for (const [given, answered] of [
    ...named.map((header) => [header, header] as const),
    ...['0.0.0.0:9100', '[::]:9100', 'a:99999', '300.1.1.1'].map((header) => [header, here] as const),
  ]) {
    const { data } = await post('/infra/v1/meetings/init-config', given, { roomId: meetingId })
    assert.equal(data.baseUrl, answered, given)
    const room = await post('/v2/rooms', given, {})
    assert.equal(new URL(room.links.get_room).host, new URL(`http://${answered}`).host, given)
    const invite = await post('/v2/invites', given, { roomId: meetingId, entry: 'direct' })
    assert.ok(invite.link, JSON.stringify(invite))
    assert.equal(new URL(invite.link).host, new URL(`http://${answered}`).host, given)
  }
})

test('tells a socket the address of the chat by the same rule', async () => {
  for (const [given, host] of [
    ['anteroom_app:9100', 'anteroom_app:9100'],
    ['0.0.0.0:1', new URL(server.url).host.replace('localhost', '127.0.0.1')],
    ['a:99999', new URL(server.url).host.replace('localhost', '127.0.0.1')],
  ] as const) {
    const client = server.connect({
      token: server.token(['allow_join']),
      meetingId,
      from: { extraHeaders: { host: given } },
    })
    const { pubSubUrl } = await client.join()
    assert.equal(new URL(pubSubUrl as string).host, host)
  }
})
