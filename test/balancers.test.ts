/**
 * The samples for several nodes of `docs/proxies`, unchanged except for names, ports and certificate; skipped if the
 * balancer or PostgreSQL is not installed.
 */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts } from './support/ports.ts'
import { makeDatabase, runSql, withoutPostgres } from './support/postgres.ts'
import { RealServer } from './support/real-server.ts'
import { ADMIN_KEY, API_KEY, SECRET, signAnything } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

const samples = join(import.meta.dirname, '../docs/proxies')
const cli = join(import.meta.dirname, '../src/cli.ts')
const SAMPLE_NODES = ['10.0.0.2:9000', '10.0.0.3:9000']
const PATIENCE_MS = 60_000
const SECONDS = 4
let folder: string
let certificate: { cert: string; key: string; both: string }
let port: number

const isInstalled = (program: string): boolean => {
  try {
    execFileSync('which', [program])
    return true
  } catch {
    return false
  }
}
const without = (program: string): string | false => !isInstalled(program) && `${program} is not installed`
const withoutAny = (program: string): string | false => without(program) || withoutPostgres

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-balancer-'))
  port = await freePorts(1)
  const [cert, key, both] = ['cert.pem', 'key.pem', 'both.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync('openssl', [...make, '-days', '2', ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  })
  await writeFile(both, (await readFile(cert, 'utf8')) + (await readFile(key, 'utf8')))
  certificate = { cert, key, both }
})
after(() => rm(folder, { recursive: true, force: true }))

/** The sample with these nodes in place of its own. */
async function sample(name: string, nodes: readonly string[]): Promise<string> {
  const text = await readFile(join(samples, name), 'utf8')
  return SAMPLE_NODES.reduce((changed, node, at) => changed.replace(node, nodes[at]!), text)
    .replace('bind :443', `bind 127.0.0.1:${port}`)
    .replace('/etc/haproxy/meet.example.org.pem', certificate.both)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace(/ssl_certificate .*;/, `ssl_certificate ${certificate.cert};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${certificate.key};`)
    .replace('server_name meet.example.org', 'server_name localhost')
}

/** Runs a balancer until the end of the test. */
async function run(t: TestContext, command: string, args: string[]): Promise<void> {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr!.on('data', (chunk) => (said += String(chunk)))
  t.after(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    const isOpen = await Promise.race([
      once(socket, 'secureConnect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (isOpen) return
    assert.equal(child.exitCode, null, `${command} ended: ${said}`)
    await delay(20)
  }
}

async function runHaproxy(t: TestContext, nodes: readonly string[]): Promise<void> {
  const config = join(folder, 'haproxy.cfg')
  await writeFile(config, await sample('haproxy.cfg', nodes))
  await run(t, 'haproxy', ['-db', '-f', config])
}

async function runNginx(t: TestContext, nodes: readonly string[]): Promise<void> {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  )
  const config = join(folder, 'nginx.conf')
  await writeFile(
    config,
    `daemon off; pid ${join(folder, 'nginx.pid')}; error_log ${join(folder, 'error.log')};\nevents {}\nhttp { ${places.join(' ')}\n${await sample('nginx-nodes.conf', nodes)} }`,
  )
  await run(t, 'nginx', ['-c', config, '-p', folder])
}

/** From the token to the picture through the balancer; then the home of the meeting is killed behind it. */
async function meetAndSurvive(
  t: TestContext,
  balance: (t: TestContext, nodes: readonly string[]) => Promise<void>,
): Promise<void> {
  const database = await makeDatabase()
  const clusterPort = String(await freePorts(1))
  const url = `https://localhost:${port}`
  const nodes: RealServer[] = []
  t.after(async () => {
    for (const node of nodes) await node.stop()
    await database.drop()
  })
  for (const last of [2, 3]) {
    const node = await RealServer.start({
      DATABASE_URL: database.url,
      MASTER_KEY: '07'.repeat(32),
      ADMIN_KEY,
      NODE_ADDRESS: `127.0.0.${last}`,
      CLUSTER_PORT: clusterPort,
      PUBLIC_URL: url,
      TRUSTED_PROXIES: '127.0.0.1',
      MEDIA_WORKERS: '1',
    })
    nodes.push(node)
  }
  await balance(
    t,
    nodes.map((node) => `127.0.0.1:${new URL(node.url).port}`),
  )
  const environment = { ...process.env, NODE_EXTRA_CA_CERTS: certificate.cert }
  const anteroom = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [cli, ...args], { env: environment })).stdout
  /** By a process of its own, which trusts the certificate. */
  const ask = async (method: string, path: string, authorization: string): Promise<any> => {
    const script = `const answer = await fetch(${JSON.stringify(url + path)}, { method: '${method}', headers: { authorization: process.env.BY } })
      console.log(await answer.text())`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...environment, BY: authorization },
    })
    return JSON.parse(stdout)
  }
  const basic = `Basic ${Buffer.from(`${API_KEY}:${SECRET}`).toString('base64')}`
  const { token } = await ask('GET', '/get-token', basic)
  const { meetingId, links } = await ask('POST', '/create-meeting', token)
  assert.ok(links.get_room.startsWith(`${url}/`))

  // Fails if one of them cannot join, loses the connection, or receives nothing.
  const load = ['load', '--url', url, '--meeting', meetingId, '--token', token, '--participants', '3']
  const report = JSON.parse(await anteroom(...load, '--seconds', String(SECONDS), '--json'))
  assert.equal(report.joined, 3)

  const direct = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
  const enter = (participantId: string): WireClient => {
    const client = new WireClient({ url, token: direct, meetingId, participantId, insecure: true })
    t.after(() => client.close())
    return client
  }
  const clients = ['ann', 'bob'].map(enter)
  for (const client of clients) await client.join()
  const homes = async (): Promise<string | undefined> =>
    (await runSql(database.url, 'select node_id from homes where meeting_id = $1', [meetingId]))[0]?.node_id
  const ongoing = async () =>
    (await ask('GET', `/v2/sessions?roomId=${meetingId}&status=ongoing`, direct)).data as { id: string }[]
  const [session] = await ongoing()
  const home = await homes()
  const killedAt = performance.now()
  await nodes.find(({ env }) => env.NODE_ADDRESS === home)!.end('SIGKILL')
  for (const client of clients) await client.gone()
  for (const participantId of ['ann', 'bob'])
    for (;;) {
      const again = enter(participantId)
      const isIn = again.join().then(() => true)
      if (await Promise.race([isIn, again.gone().then(() => false)]).catch(() => false)) break
      assert.ok(performance.now() - killedAt < PATIENCE_MS, `${participantId} did not come back`)
      await delay(200)
    }
  t.diagnostic(`both were back after ${Math.round(performance.now() - killedAt)} ms`)
  assert.notEqual(await homes(), home)
  assert.deepEqual(
    (await ongoing()).map(({ id }) => id),
    [session!.id],
  )
}

test(
  'two nodes behind HAProxy: from the token to the picture, and a node killed',
  { skip: withoutAny('haproxy') },
  (t) => meetAndSurvive(t, runHaproxy),
)

test(
  'two nodes behind nginx: from the token to the picture, and a node killed',
  { skip: withoutAny('nginx') },
  (t) => meetAndSurvive(t, runNginx),
)

/** With the example key of RFC 6455, so that the answer to it is known. */
const UPGRADE =
  'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='

/** Stands for a node: it says whether it is ready, keeps what is upgraded, and can fall silent. */
class Stub {
  status = 200
  isSilent = false
  readonly server: Server
  constructor() {
    this.server = createServer((request, response) => {
      if (this.isSilent) return
      response.statusCode = request.url === '/health/ready' ? this.status : 200
      response.end(String(this.port))
    })
    this.server.on('upgrade', (_request, socket: Socket) => {
      socket.on('error', () => undefined)
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
      )
      socket.on('data', (chunk) => socket.write(chunk))
    })
  }
  get port(): number {
    return (this.server.address() as AddressInfo).port
  }
}

test(
  'HAProxy: a node that is not ready keeps its connections and gets no others; one that falls silent loses them',
  { skip: without('haproxy') },
  async (t) => {
    const stubs = [new Stub(), new Stub()] as const
    for (const { server } of stubs) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.after(() => {
        server.closeAllConnections()
        server.close()
      })
    }
    await runHaproxy(
      t,
      stubs.map(({ port: at }) => `127.0.0.1:${at}`),
    )
    const open = async (head: string) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
      t.after(() => socket.destroy())
      socket.on('error', () => undefined)
      socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\n${head}\r\n\r\n`)
      const [answer] = (await once(socket, 'data')) as [Buffer]
      return { socket, answer: String(answer) }
    }
    const whoAnswers = async (): Promise<number> =>
      Number((await open('connection: close')).answer.split('\r\n\r\n')[1])
    const upgraded = await Promise.all([0, 1].map(() => open(UPGRADE)))
    for (const { answer } of upgraded) assert.match(answer, /^HTTP\/1\.1 101/)

    const [ready, other] = stubs
    other.status = 503
    // It has been noticed when nobody is sent there any more.
    const onlyTheReadyOne = async (): Promise<boolean> => {
      for (let times = 0; times < 6; times++) if ((await whoAnswers()) !== ready.port) return false
      return true
    }
    while (!(await onlyTheReadyOne())) await delay(100)
    for (const { socket } of upgraded) {
      socket.write('still here')
      assert.equal(String(((await once(socket, 'data')) as [Buffer])[0]), 'still here')
    }

    other.isSilent = true
    await Promise.race(upgraded.map(({ socket }) => once(socket, 'close')))
    assert.equal(upgraded.filter(({ socket }) => !socket.destroyed).length, 1)
  },
)
