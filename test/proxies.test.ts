/**
 * The samples of `docs/proxies`, unchanged except for names, ports and certificate; skipped if the proxy is not
 * installed.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { connect } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { freePorts } from './support/ports.ts'
import { RealServer } from './support/real-server.ts'
import { API_KEY, SECRET, signAnything } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

const samples = join(import.meta.dirname, '../docs/proxies')
let folder: string
let server: RealServer
let port: number
let running: ChildProcess | undefined
/** Not a name of this machine, so callers who use it are not the owner. */
const NAME = 'meet.example.test'
const publicUrl = (): string => `https://${NAME}:${port}`

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-proxy-'))
  port = await freePorts(1)
  // As in the samples; nothing is sent to that address here.
  server = await RealServer.start({ PUBLIC_URL: publicUrl(), ANNOUNCED_ADDRESS: '203.0.113.10' })
})
after(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program])
    return true
  } catch {
    return false
  }
}

async function sample(name: string): Promise<string> {
  const text = await readFile(join(samples, name), 'utf8')
  const certificates = server.env.DATA_DIR!
  return text
    .replaceAll('127.0.0.1:9000', `127.0.0.1:${new URL(server.url).port}`)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace(/ssl_certificate .*;/, `ssl_certificate ${join(certificates, 'tls/cert.pem')};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${join(certificates, 'tls/key.pem')};`)
    .replace('server_name meet.example.org', 'server_name localhost')
    .replace(
      /^meet\.example\.org \{/m,
      `{\n\tadmin off\n\tauto_https off\n}\nhttps://localhost:${port}, ${publicUrl()} {\n\ttls ${join(certificates, 'tls/cert.pem')} ${join(certificates, 'tls/key.pem')}\n`,
    )
}

async function run(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, XDG_DATA_HOME: folder } })
  running = child
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    const open = await Promise.race([
      once(socket, 'secureConnect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (open) return
    assert.equal(child.exitCode, null, `${command} ended`)
  }
}

afterEach(async () => {
  if (running?.exitCode !== null) return
  const gone = once(running, 'exit')
  running.kill('SIGTERM')
  await gone
})

function call(
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: any }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: 'localhost',
        port,
        method,
        path,
        headers: { host: `${NAME}:${port}`, ...headers },
        rejectUnauthorized: false,
      },
      (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => (text += String(chunk)))
        answer.on('end', () => resolve({ status: answer.statusCode!, body: JSON.parse(text) }))
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

async function meetThrough(): Promise<void> {
  // Callers who come through a proxy are not the owner.
  assert.equal((await call('GET', '/get-token')).status, 401)
  const basic = `Basic ${Buffer.from(`${API_KEY}:${SECRET}`).toString('base64')}`
  const { body } = await call('GET', '/get-token', { authorization: basic })
  assert.ok(body.token)
  const room = await call('POST', '/create-meeting', { authorization: body.token })
  assert.ok(room.body.links.get_room.startsWith(`${publicUrl()}/`))
  const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
  const client = new WireClient({
    url: `https://localhost:${port}`,
    token,
    meetingId: room.body.meetingId,
    participantId: 'ann',
    insecure: true,
  })
  const { pubSubUrl } = await client.join()
  assert.ok(pubSubUrl.startsWith(`wss://${NAME}:${port}/`))
  const chat = new WebSocket(pubSubUrl.replace(NAME, 'localhost'), { rejectUnauthorized: false })
  await once(chat, 'message')
  chat.close()
  client.close()
}

test(
  'media, which does not pass a proxy, listens on every address, and the rest on HOST alone',
  { skip: process.platform !== 'linux' && 'only Linux has more than one loopback address' },
  async () => {
    const isOpen = async (at: number): Promise<boolean> => {
      const socket = connectPlain({ port: at, host: '127.0.0.2' })
      const open = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.destroy()
      return open
    }
    assert.equal(await isOpen(Number(server.env.MEDIA_PORT)), true)
    assert.equal(await isOpen(Number(server.env.PORT)), false)
  },
)

/** Runs nginx with these blocks inside `http`. */
async function runNginx(blocks: string): Promise<void> {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  )
  const config = join(folder, 'nginx.conf')
  await writeFile(
    config,
    `daemon off; pid ${join(folder, 'nginx.pid')}; error_log ${join(folder, 'error.log')};\nevents {}\nhttp { ${places.join(' ')}\n${blocks} }`,
  )
  await run('nginx', ['-c', config, '-p', folder])
}

const withoutNginx = !isInstalled('nginx') && 'nginx is not installed'

test('nginx', { skip: withoutNginx }, async () => {
  await runNginx(await sample('nginx.conf'))
  await meetThrough()
})

test(
  'nginx with its default proxy_pass, and no setting that mentions it, does not open what is for the owner',
  { skip: withoutNginx },
  async () => {
    const open = await RealServer.start()
    try {
      assert.match(open.output, /set PUBLIC_URL if a proxy is in front of this server/)
      const certificates = server.env.DATA_DIR!
      const tls = `listen 127.0.0.1:${port} ssl; ssl_certificate ${join(certificates, 'tls/cert.pem')}; ssl_certificate_key ${join(certificates, 'tls/key.pem')};`
      await runNginx(
        `server { ${tls} location / { proxy_pass ${open.url.replace('localhost', '127.0.0.1')}; } }`,
      )
      for (const [method, path] of [
        ['GET', '/get-token'],
        ['POST', '/page/start'],
        ['GET', '/metrics'],
      ] as const)
        assert.equal((await call(method, path)).status, 401, path)
      assert.equal((await call('GET', '/v2/admin/sign-in')).body.atThisMachine, false)
      assert.equal((await fetch(`${open.url}/get-token`)).status, 200, 'without the proxy')
      assert.match(
        open.output,
        /refused to treat a local caller as the owner: a proxy seems to be in front of this server/,
      )
    } finally {
      await open.stop()
    }
  },
)

test('Caddy', { skip: !isInstalled('caddy') && 'Caddy is not installed' }, async () => {
  const config = join(folder, 'Caddyfile')
  await writeFile(config, await sample('Caddyfile'))
  await run('caddy', ['run', '--config', config, '--adapter', 'caddyfile'])
  await meetThrough()
})
