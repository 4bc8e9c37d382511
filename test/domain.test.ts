/** DOMAIN: a certificate by ACME, its renewal, and what people are told when there is none. Skipped if pebble is not installed. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as requestPlain } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { readConfig } from '../src/config/read.ts'
import { freePorts } from './support/ports.ts'
import { noPebble, Pebble } from './support/pebble.ts'
import { ADMIN_KEY, TestServer } from './support/test-server.ts'

const NAME = 'meet.example.test'
const LONG = 90 * 86_400
const skip = noPebble
const QUICK = { firstMs: 200, longestMs: 200 }

interface Open {
  pebble: Pebble
  server: TestServer
  httpPort: number
  httpsPort: number
}

async function open(
  t: TestContext,
  {
    validSeconds = LONG,
    before,
    times = QUICK,
    httpPortOfPebble,
    tlsPortOfPebble,
    trust = true,
  }: {
    validSeconds?: number
    before?: (pebble: Pebble) => unknown
    times?: { firstMs: number; longestMs: number }
    /** The port at which pebble looks for the challenge, if it is not the server's. */
    httpPortOfPebble?: number
    tlsPortOfPebble?: number
    /** Whether the server trusts the directory. */
    trust?: boolean
  } = {},
): Promise<Open> {
  const httpPort = await freePorts(2)
  const httpsPort = httpPort + 1
  const pebble = await Pebble.start({
    httpPort: httpPortOfPebble ?? httpPort,
    tlsPort: tlsPortOfPebble ?? httpsPort,
    validSeconds,
  })
  t.after(() => pebble.stop())
  await before?.(pebble)
  const { domain, publicUrl, acmeDirectory, acmeCa } = readConfig({
    DOMAIN: NAME,
    HOST: '127.0.0.1',
    HTTPS_PORT: String(httpsPort),
    ACME_DIRECTORY: pebble.directory,
    ...(trust && { ACME_CA: pebble.caFile }),
  })
  const server = await TestServer.start(
    { domain, publicUrl, acmeDirectory, acmeCa, port: httpPort, httpsPort, logLevel: 'fatal' },
    { certificateTimes: times },
  )
  t.after(() => server.stop())
  return { pebble, server, httpPort, httpsPort }
}

/** The certificate that a new connection gets. */
async function shown(
  httpsPort: number,
  ca?: string,
): Promise<{ serial: string; names: string; trusted: boolean }> {
  const socket: TLSSocket = connect({
    port: httpsPort,
    host: '127.0.0.1',
    servername: NAME,
    rejectUnauthorized: false,
    ...(ca !== undefined && { ca }),
  })
  await once(socket, 'secureConnect')
  const { serialNumber, subjectaltname = '' } = socket.getPeerCertificate()
  const { authorized } = socket
  socket.destroy()
  return { serial: serialNumber, names: subjectaltname, trusted: authorized }
}

const metricsOf = async (server: TestServer): Promise<string> =>
  (await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })).text()

const statusOf = async (server: TestServer) => (await server.rest('GET', '/health')).body.certificate

/** Asks again until the condition holds; the test's time limit ends it. */
async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    await delay(50)
  }
}

function plain(port: number, path: string, headers: Record<string, string>, method = 'GET') {
  return new Promise<{ status: number; location: string | undefined }>((resolve, reject) => {
    requestPlain({ host: '127.0.0.1', port, path, headers, method }, (answer) => {
      answer.resume()
      resolve({ status: answer.statusCode!, location: answer.headers.location })
    })
      .on('error', reject)
      .end()
  })
}

test(
  'the first start gets a certificate for the name, and later starts keep it',
  { skip, timeout: 60_000 },
  async (t) => {
    const { pebble, server, httpsPort, httpPort } = await open(t)
    const status = await until(
      () => statusOf(server),
      ({ source }) => source === 'acme',
    )
    assert.equal(status.problem, undefined)
    assert.ok(status.expiresAt > Date.now() + 89 * 86_400_000)
    const first = await shown(httpsPort, await pebble.root())
    assert.equal(first.names, `DNS:${NAME}`)
    const { text } = server.ready
    assert.match(text, new RegExp(`https://${NAME}:${httpsPort}/`))
    const metrics = await metricsOf(server)
    assert.match(metrics, /^anteroom_certificate_failing 0$/m)
    assert.match(
      metrics,
      new RegExp(
        `^anteroom_certificate_expires_timestamp_seconds ${Math.floor(status.expiresAt / 1000)}$`,
        'm',
      ),
    )

    const asked = pebble.requests.length
    await server.restart()
    assert.equal((await shown(httpsPort)).serial, first.serial)
    assert.equal((await statusOf(server)).source, 'acme')
    assert.equal(pebble.requests.length, asked, 'it asked again although the certificate is valid')

    // People go to HTTPS; programs of this machine may call by address.
    const host = { host: NAME }
    assert.deepEqual(await plain(httpPort, '/m/x?a=1', host), {
      status: 308,
      location: `https://${NAME}:${httpsPort}/m/x?a=1`,
    })
    assert.equal((await plain(httpPort, '/v2/rooms', host, 'POST')).status, 308)
    assert.equal((await plain(httpPort, '/health/live', { host: `127.0.0.1:${httpPort}` })).status, 200)
    assert.equal((await plain(httpPort, '/.well-known/acme-challenge/unknown', host)).status, 308)
    const socket = new WebSocket(`ws://127.0.0.1:${httpPort}/socket.io/?transport=websocket&EIO=4`, {
      headers: host,
    })
    const [error] = (await once(socket, 'error')) as [Error]
    assert.match(error.message, /308/)
  },
)

test('a renewal leaves open connections alone', { skip, timeout: 120_000 }, async (t) => {
  const { server, httpsPort } = await open(t, { validSeconds: 15 })
  await until(
    () => statusOf(server),
    ({ source }) => source === 'acme',
  )
  const before = await shown(httpsPort)
  const meetingId = await server.createMeeting()
  const client = server.connect({
    url: server.secureUrl,
    meetingId,
    token: server.token(['allow_join']),
    insecure: true,
  })
  await client.join()
  let ended = false
  client.socket.on('disconnect', () => (ended = true))
  const after = await until(
    () => shown(httpsPort),
    ({ serial }) => serial !== before.serial,
  )
  assert.equal(after.names, `DNS:${NAME}`)
  assert.equal(ended, false)
  await client.request('changeDisplayName', { displayName: 'still here' })
})

test(
  'a name that has no address is told, and gets its certificate once it has',
  { skip, timeout: 60_000 },
  async (t) => {
    const { pebble, server } = await open(t, { before: (pebble) => pebble.resolveTo(NAME, []) })
    const { source, problem, retryAt } = await until(
      () => statusOf(server),
      (status) => status.problem !== undefined,
    )
    assert.equal(source, 'self-signed')
    assert.match(problem, /^meet\.example\.test has no usable address in DNS: set its A record/)
    assert.ok(retryAt > 0)
    const readiness = await server.rest('GET', '/health/ready')
    assert.deepEqual(
      [readiness.status, readiness.body.troubled],
      [200, [{ part: 'certificate', reason: problem }]],
    )
    const told = (await server.admin('GET', '/v2/admin/status')).body.certificate
    assert.equal(told.problem, problem)
    await pebble.resolveTo(NAME, ['127.0.0.1'])
    const after = await until(
      () => statusOf(server),
      (status) => status.source === 'acme',
    )
    assert.equal(after.problem, undefined)
  },
)

test('a name that leads elsewhere is told with the port to open', { skip, timeout: 60_000 }, async (t) => {
  const { server } = await open(t, { before: (pebble) => pebble.resolveTo(NAME, ['127.0.0.9']) })
  const { problem } = await until(
    () => statusOf(server),
    (status) => status.problem !== undefined,
  )
  assert.match(
    problem,
    /^The ACME server cannot reach meet\.example\.test at port 80: open TCP ports 80 and 443/,
  )
})

test('another server at the name is told', { skip, timeout: 60_000 }, async (t) => {
  const other = createServer((_request, answer) => answer.writeHead(404).end())
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const { server } = await open(t, { httpPortOfPebble: port, tlsPortOfPebble: port })
  const { problem } = await until(
    () => statusOf(server),
    (status) => status.problem !== undefined,
  )
  assert.match(problem, /leads to another server, which does not know the challenge/)
})

test('port 443 is enough where port 80 is closed', { skip, timeout: 60_000 }, async (t) => {
  const { server, httpsPort, pebble } = await open(t, { httpPortOfPebble: await freePorts(1) })
  const { problem } = await until(
    () => statusOf(server),
    (status) => status.source === 'acme',
  )
  assert.equal(problem, undefined)
  assert.equal((await shown(httpsPort, await pebble.root())).names, `DNS:${NAME}`)
})

test(
  'a rate limit is told, and the wait that the server asks for is kept',
  { skip, timeout: 60_000 },
  async (t) => {
    const { pebble, server } = await open(t, {
      before: (pebble) => {
        pebble.behaviour = { path: /order/, status: 429, type: 'rateLimited', retryAfter: 3600 }
      },
    })
    const { problem, retryAt } = await until(
      () => statusOf(server),
      (status) => status.problem !== undefined,
    )
    assert.match(problem, /too many certificates lately \(rate limit\): leave the server running/)
    assert.ok(retryAt > Date.now() + 3_500_000, 'it does not wait as long as it was asked to')
    assert.equal(pebble.requests.filter((one) => one.includes('order')).length, 1)
  },
)

test(
  'an ACME server that is away at the start is told, and asked again',
  { skip, timeout: 60_000 },
  async (t) => {
    const { pebble, server } = await open(t, { before: (pebble) => void (pebble.behaviour = 'away') })
    const { source, problem } = await until(
      () => statusOf(server),
      (status) => status.problem !== undefined,
    )
    assert.equal(source, 'self-signed')
    assert.match(
      problem,
      /^The ACME server localhost:\d+ does not answer \(ECONNRESET\): check that this machine/,
    )
    assert.equal(
      (await server.rest('POST', '/v2/rooms', {})).status,
      200,
      'the server does not work meanwhile',
    )
    pebble.behaviour = 'pass'
    await until(
      () => statusOf(server),
      (status) => status.source === 'acme',
    )
  },
)

test('an ACME server that is not trusted is told', { skip, timeout: 60_000 }, async (t) => {
  const { server } = await open(t, { trust: false })
  const { problem } = await until(
    () => statusOf(server),
    (status) => status.problem !== undefined,
  )
  assert.match(problem, /is not trusted \(\w+\): name the file of its authority in ACME_CA\.$/)
})

test(
  'an ACME server that is away at a renewal is told, and the old certificate goes on',
  { skip, timeout: 120_000 },
  async (t) => {
    const { pebble, server, httpsPort } = await open(t, { validSeconds: 20 })
    const { expiresAt } = await until(
      () => statusOf(server),
      ({ source }) => source === 'acme',
    )
    const before = await shown(httpsPort)
    pebble.behaviour = 'away'
    const failing = await until(
      () => statusOf(server),
      (status) => status.problem !== undefined,
    )
    assert.deepEqual([failing.source, failing.expiresAt], ['acme', expiresAt])
    assert.match(failing.problem, /does not answer/)
    assert.equal((await shown(httpsPort)).serial, before.serial)
    assert.match(await metricsOf(server), /^anteroom_certificate_failing 1$/m)
    pebble.behaviour = 'pass'
    await until(
      () => shown(httpsPort),
      ({ serial }) => serial !== before.serial,
    )
    const after = await until(
      () => statusOf(server),
      (status) => status.problem === undefined,
    )
    assert.ok(after.expiresAt > expiresAt)
  },
)
