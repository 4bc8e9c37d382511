import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import { createServer as createRawServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { openTemplate, type OpenTemplate } from './template.ts'

let inside: Server
let place: string
let isOwn = false
let isAllowed = false
let template: OpenTemplate
let proxyPort: number
before(async () => {
  inside = createServer((_request, response) => response.end('secret'))
  inside.listen(0, '127.0.0.1')
  await once(inside, 'listening')
  const { port } = inside.address() as AddressInfo
  place = `127.0.0.1:${port}`
  template = await openTemplate({
    mayReach: () => isAllowed,
    inside: (host, to) =>
      isOwn && to === port && ['127.0.0.1', 'meet.example.org'].includes(host) ? '127.0.0.1' : undefined,
    ownKeys: () => [],
  })
  proxyPort = Number(/proxy-server=http:\/\/127\.0\.0\.1:(\d+)/.exec(template.flags.join(' '))![1])
})
after(async () => {
  await template.close()
  inside.close()
})

/** Sends an HTTP request through the proxy, as a browser does. */
async function get(url: string): Promise<number> {
  const asked = request({ port: proxyPort, host: '127.0.0.1', path: url, agent: false })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode!
}

/** Opens a tunnel through the proxy, as a browser does for HTTPS and sockets. */
async function tunnel(to: string): Promise<number> {
  const asked = request({ port: proxyPort, host: '127.0.0.1', method: 'CONNECT', path: to, agent: false })
  asked.end()
  const [response, socket] = (await once(asked, 'connect')) as [IncomingMessage, Socket]
  socket.destroy()
  return response.statusCode!
}

test("a caller's page cannot reach private addresses: by address or name, with HTTP or HTTPS", async () => {
  for (const host of [
    '127.0.0.1',
    'localhost',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '169.254.169.254',
    '2130706433',
  ])
    assert.deepEqual([await get(`http://${host}/`), await tunnel(`${host}:443`)], [403, 403], host)
  assert.equal(await get(`http://${place}/`), 403)
  assert.equal(await tunnel(place), 403)
})

test("a caller's page can reach this server, on any address", async () => {
  isOwn = true
  for (const own of [place, place.replace('127.0.0.1', 'meet.example.org')])
    assert.deepEqual([await get(`http://${own}/`), await tunnel(own)], [200, 200], own)
  assert.equal(await get(`http://127.0.0.1:1/`), 403, 'another port is another server')
  isOwn = false
})

test('it reaches what is public', async () => {
  isAllowed = true
  assert.deepEqual([await get(`http://${place}/`), await tunnel(place)], [200, 200])
  isAllowed = false
})

test('refuses requests that cannot be parsed or resolved', async () => {
  assert.deepEqual(
    [await get('/relative'), await get('http://no.such.name.invalid/'), await tunnel('')],
    [403, 403, 403],
  )
})

test('an invalid answer of a server ends only that request', async (t) => {
  let answer = ''
  const odd = createRawServer((socket) => socket.once('data', () => socket.end(answer)))
  t.after(() => odd.close())
  odd.listen(0, '127.0.0.1')
  await once(odd, 'listening')
  isAllowed = true
  t.after(() => (isAllowed = false))
  const url = `http://127.0.0.1:${(odd.address() as AddressInfo).port}/`
  for (answer of ['HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n', 'nonsense\r\n\r\n', ''])
    assert.equal(await get(url), 502, answer)

  answer = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'
  const asked = request({ port: proxyPort, host: '127.0.0.1', path: url, agent: false })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  await assert.rejects(response.toArray(), { code: 'ECONNRESET' })
})

test('the browser has no way around it, for media neither', () => {
  assert.ok(template.flags.includes('--proxy-bypass-list=<-loopback>'))
  assert.ok(template.flags.includes('--force-webrtc-ip-handling-policy=disable_non_proxied_udp'))
})
