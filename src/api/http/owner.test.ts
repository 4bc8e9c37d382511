/** Who counts as the owner without credentials: one rule for tokens, starting meetings and metrics. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import type { Config } from '../../config/read.ts'
import { TestServer } from '../../../test/support/test-server.ts'

/** What the owner may do without credentials. */
const PRIVILEGES = ['GET /get-token', 'POST /page/start', 'GET /metrics'] as const
const ALL = [...PRIVILEGES]

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

interface Asked {
  headers?: Record<string, string>
  version?: string
  host?: string
}

/** Sends exactly these headers, as proxies do and `fetch` cannot. */
async function statusOf(from: TestServer, call: string, asked: Asked): Promise<number> {
  const { port } = new URL(from.url)
  const { version = '1.1', host = `localhost:${port}`, headers = {} } = asked
  const socket = connect(Number(port), '127.0.0.1')
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${call} HTTP/${version}\r\n${lines.join('')}\r\n`)
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return Number(/^HTTP\/1\.1 (\d+)/.exec(String(chunk))![1])
}

/** Returns what this caller may do; everything else is refused with 401. */
async function privilegesOf(from: TestServer, asked: Asked): Promise<string[]> {
  const answers = await Promise.all(
    PRIVILEGES.map(async (call) => [call, await statusOf(from, call, asked)] as const),
  )
  for (const [call, status] of answers) assert.ok([200, 401, 403].includes(status), `${call}: ${status}`)
  return answers.flatMap(([call, status]) => (status === 200 ? [call] : []))
}

test('the owner at this machine needs no credentials', async () => {
  const own = new URL(server.url).origin
  for (const asked of [
    {},
    { host: '127.0.0.1:9000' },
    { host: '[::1]' },
    { headers: { origin: own } },
    { headers: { 'sec-fetch-site': 'same-origin', referer: `${own}/` } },
    { headers: { 'sec-fetch-site': 'none' } },
  ] satisfies Asked[])
    assert.deepEqual(await privilegesOf(server, asked), ALL, JSON.stringify(asked))
})

const proxied: Asked[] = [
  { host: 'meet.example' },
  { host: 'localhost.example:9000' },
  { host: '' },
  { version: '1.0' },
  { headers: { connection: 'close' } },
  ...[
    'via',
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-server',
    'x-real-ip',
    'x-client-ip',
    'x-cluster-client-ip',
    'x-original-url',
    'x-original-forwarded-for',
    'x-envoy-external-address',
    'x-amzn-trace-id',
    'true-client-ip',
    'client-ip',
    'cf-connecting-ip',
    'cdn-loop',
    'fastly-client-ip',
    'fly-client-ip',
    'ngrok-skip-browser-warning',
    'tailscale-user-login',
  ].map((name) => ({ headers: { [name]: '127.0.0.1' } })),
]

test('any sign of a proxy, even one that claims to forward for this machine, ends the privileges of the owner', async () => {
  for (const asked of proxied) assert.deepEqual(await privilegesOf(server, asked), [], JSON.stringify(asked))
})

test('a page of another site gets nothing; an app under development on this machine gets only tokens', async () => {
  for (const headers of [
    { origin: 'https://app.example' },
    { origin: 'null' },
    { origin: 'http://localhost.app.example' },
    { referer: 'https://app.example/page' },
    { 'sec-fetch-site': 'cross-site' },
  ])
    assert.deepEqual(await privilegesOf(server, { headers }), [], JSON.stringify(headers))
  const app = 'http://localhost:3000'
  for (const headers of [{ origin: app }, { referer: `${app}/` }, { 'sec-fetch-site': 'same-site' }])
    assert.deepEqual(
      await privilegesOf(server, { headers: headers }),
      ['GET /get-token'],
      JSON.stringify(headers),
    )
})

test('settings that let others reach the server end the privileges of the owner', async () => {
  const settings: Partial<Config>[] = [
    { host: '0.0.0.0' },
    { publicUrl: 'https://meet.example' },
    // A proxy on this machine, as in a trial setup.
    { publicUrl: 'https://localhost:8443' },
    { trustedProxies: ['127.0.0.1'] },
    { trustedProxies: ['10.0.0.0/8'] },
  ]
  for (const changes of settings) {
    const other = await TestServer.start(changes)
    try {
      assert.deepEqual(await privilegesOf(other, {}), [], JSON.stringify(changes))
    } finally {
      await other.stop()
    }
  }
})
