/** The command line as a person or a script uses it: the real program, its output and its exit codes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import Database from 'better-sqlite3'
import { jwtVerify } from 'jose'
import { generate } from 'selfsigned'
import { examine } from '../src/cli/doctor-checks.ts'
import type { Finding } from '../src/cli/finding.ts'
import { readConfig } from '../src/config/read.ts'
import { Commands, type Ran } from './support/commands.ts'
import { RealServer } from './support/real-server.ts'
import { WireClient } from './support/wire-client.ts'
import { API_KEY, SECRET, signAnything } from './support/test-server.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
let folder: string
let commands: Commands
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-cli-'))
  commands = new Commands(folder, settings())
  const made = await anteroom(['init', '--json'])
  assert.equal(made.code, 0, made.err)
  assert.equal(JSON.parse(made.out).dataDir, join(folder, 'data'))
})
after(() => commands.stop())
after(() => rm(folder, { recursive: true, force: true }))

/** What `doctor` finds, without a process for each look: it takes a second to start. */
const findingsOf = (env: NodeJS.ProcessEnv): Promise<Finding[]> =>
  examine({ env: { ...process.env, DATA_DIR: join(folder, 'data'), ...env }, envFile: undefined })

const settings = (): NodeJS.ProcessEnv => ({
  // Compilation takes half of the time of a command.
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(folder, 'compiled'),
  DATA_DIR: join(folder, 'data'),
  LOG_LEVEL: 'error',
})

/** The real program, in a process of its own. */
async function anteroom(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env: { ...process.env, ...settings(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (err += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

/** Whether a start with these settings fails before it opens anything. */
function isRefused(env: NodeJS.ProcessEnv): boolean {
  try {
    readConfig(env)
    return false
  } catch {
    return true
  }
}

function isOneSentence({ err, out }: Ran, pattern: RegExp): void {
  assert.equal(out, '')
  assert.equal(err.trim().split('\n').length, 1, err)
  assert.match(err, pattern)
}

test('a mistyped command fails with one sentence and code 2; help ends with code 0', async () => {
  for (const [args, pattern] of [
    [['dance'], /no command "dance"/],
    [['token', 'mint', '--wings'], /--wings.*anteroom token mint --help/],
    [['keys', 'revoke'], /usage: anteroom keys revoke <apiKey>/],
    [['token', 'mint', '--expires', 'soon'], /A duration is/],
    [['token', 'mint', '--permissions', 'allow_join,ask_join'], /permissions must be/],
    [['meeting', 'list', '--page', '0'], /--page must be/],
    [['meeting', 'create', '--custom-id', ''], /--custom-id: A custom id must/],
    [['meeting', 'create', '--custom-id', ' team'], /--custom-id: A custom id must/],
    [['meeting', 'create', '--custom-id', 'x'.repeat(129)], /--custom-id: A custom id must/],
    [['serve', 'there'], /usage: anteroom serve/],
  ] as const) {
    const ran = await commands.run([...args])
    assert.equal(ran.code, 2)
    isOneSentence(ran, pattern)
  }
  assert.equal((await anteroom([])).code, 2)
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const shown = await anteroom(['--version'])
  assert.deepEqual([shown.code, shown.out.trim()], [0, version])
  const overview = await commands.run(['--help'])
  assert.equal(overview.code, 0)
  for (const name of ['serve', 'token-server', 'keys create', 'token inspect', 'meeting end', 'doctor']) {
    assert.ok(overview.out.includes(name), name)
    const help = await commands.run([...name.split(' '), '--help'])
    assert.equal(help.code, 0)
    assert.match(help.out, /--json/)
  }
})

test('the secret of a key is shown once, and a revoked key is refused', async () => {
  const made = await commands.run(['keys', 'create', '--name', 'app', '--json'])
  assert.equal(made.code, 0)
  const { apiKey, secret } = JSON.parse(made.out)
  const listed = await commands.run(['keys', 'list', '--json'])
  assert.ok(JSON.parse(listed.out).some((key: any) => key.apiKey === apiKey && key.name === 'app'))
  assert.equal(listed.out.includes(secret), false)
  assert.equal((await commands.run(['keys', 'revoke', apiKey])).code, 0)
  const unknown = await commands.run(['keys', 'revoke', 'nobody'])
  assert.equal(unknown.code, 3)
  isOneSentence(unknown, /no API key nobody/)
})

test('creates, renames and rotates projects and keys, revokes a token, and refuses unknown ones', async () => {
  const project = (await commands.run(['projects', 'create', 'other'])).out.trim()
  assert.match(project, /^[0-9a-f]{24}$/)
  assert.equal((await commands.run(['projects', 'rename', project, 'renamed'])).code, 0)
  assert.match((await commands.run(['projects', 'list'])).out, new RegExp(`${project}  renamed`))
  const create = ['keys', 'create', '--project', project, '--json', '--origins']
  assert.equal((await commands.run([...create, 'app.example'])).code, 2)
  const made = JSON.parse((await commands.run([...create, 'https://App.example'])).out)
  const rotated = await commands.run(['keys', 'rotate', made.apiKey, '--overlap', '1h', '--json'])
  const successor = JSON.parse(rotated.out)
  const keys: any[] = JSON.parse((await commands.run(['keys', 'list', '--json'])).out)
  const [before, after] = [made, successor].map(({ apiKey }) => keys.find((key) => key.apiKey === apiKey))
  assert.deepEqual(after.origins, ['https://app.example'])
  assert.equal(after.projectId, project)
  assert.ok(before.revokedAt > Date.now() + 3_500_000 && after.revokedAt === null)

  const mint = ['token', 'mint', '--api-key', successor.apiKey]
  const token = (await commands.run(mint)).out.trim()
  assert.equal((await commands.run(['token', 'inspect', token])).code, 0)
  const { jti } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  assert.equal((await commands.run(['token', 'revoke', jti, '--project', project])).code, 0)
  const inspected = await commands.run(['token', 'inspect', token])
  assert.equal(inspected.code, 3)
  assert.match(inspected.out, /was revoked/)
  for (const args of [
    ['projects', 'rename', 'nowhere', 'x'],
    ['keys', 'create', '--project', 'nowhere'],
    ['token', 'revoke', 'x', '--project', 'nowhere'],
  ]) {
    const ran = await commands.run(args)
    assert.equal(ran.code, 3, args.join(' '))
    isOneSentence(ran, /There is no project nowhere/)
  }
  isOneSentence(await commands.run(['keys', 'rotate', 'nobody']), /no API key nobody/)
  isOneSentence(await commands.run(['keys', 'rotate', made.apiKey]), /was already rotated/)
  const alone = await commands.run(['keys', 'revoke', made.apiKey, '--end-connections'], {
    PORT: '1',
    ADMIN_KEY: 'k'.repeat(43),
  })
  assert.equal(alone.code, 1)
  isOneSentence(alone, /No server answers on/)
})

test('token mint makes what was requested, and token inspect agrees with the door', async () => {
  const env = { VIDEOSDK_API_KEY: API_KEY, VIDEOSDK_SECRET_KEY: SECRET }
  assert.equal((await commands.run(['init'], env)).code, 0)
  const minted = await commands.run(
    ['token', 'mint', '--permissions', 'allow_join,allow_mod', '--expires', '15m', '--json'],
    env,
  )
  assert.equal(minted.code, 0, minted.err)
  const { token } = JSON.parse(minted.out)
  const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET))
  assert.deepEqual(payload.permissions, ['allow_join', 'allow_mod'])
  assert.equal(payload.exp! - payload.iat!, 900)
  const good = await commands.run(['token', 'inspect', token], env)
  assert.equal(good.code, 0)

  const cases: [what: string, given: string, pattern: RegExp][] = [
    [
      'expired',
      signAnything({ apikey: API_KEY, permissions: ['allow_join'], exp: 1_600_000_000 }),
      /expired/i,
    ],
    ['forged', `${token.slice(0, -3)}AAA`, /signature/i],
    ['unknown key', signAnything({ apikey: 'nobody', permissions: ['allow_join'] }), /key/i],
    ['junk', 'junk', /three parts|not a token|JWT/i],
  ]
  for (const [what, given, pattern] of cases) {
    const ran = await commands.run(['token', 'inspect', given], env)
    assert.equal(ran.code, 3, what)
    assert.match(ran.out + ran.err, pattern, what)
    assert.equal((ran.out + ran.err).includes(SECRET), false)
  }
})

test('creates, lists and shows meetings, and refuses unknown ones', async () => {
  const made = await commands.run(['meeting', 'create', '--custom-id', 'team'])
  assert.match(made.out, /^[a-z0-9]{4}(-[a-z0-9]{4}){2}\n$/)
  assert.equal((await commands.run(['meeting', 'create', '--custom-id', 'team'])).out, made.out)
  const listed = JSON.parse((await commands.run(['meeting', 'list', '--json'])).out)
  assert.equal(listed.meetings[0].meetingId, made.out.trim())
  const shown = JSON.parse((await commands.run(['meeting', 'show', 'team', '--json'])).out)
  assert.equal(shown.customId, 'team')
  const unknown = await commands.run(['meeting', 'show', 'aaaa-bbbb-cccc'])
  assert.equal(unknown.code, 3)
  isOneSentence(unknown, /no meeting/)
})

test('init does not change what exists', async () => {
  const kept = () =>
    Promise.all(['master.key', 'api-key.env'].map((name) => readFile(join(folder, 'data', name), 'utf8')))
  const before = await kept()
  const again = await commands.run(['init'])
  assert.equal(again.code, 0)
  assert.match(again.out, /secret +in .*api-key\.env/)
  assert.deepEqual(await kept(), before)
})

test('doctor prints a line for each check, also for scripts', async () => {
  const ran = await anteroom(['doctor', '--json'], { PORT: '0', HTTPS_PORT: '0', MEDIA_PORT: '47123' })
  const report = JSON.parse(ran.out)
  const lines = JSON.stringify(report)
  for (const check of ['node', 'worker', 'port', 'certificate', 'clock', 'data', 'master']) {
    assert.match(lines, new RegExp(check, 'i'), check)
  }
  const isBad = (report as Finding[]).some(({ verdict }) => verdict === 'bad')
  assert.equal(ran.code, isBad ? 1 : 0, lines)
  const mistaken = await anteroom(['doctor'], { PORT: 'x' })
  assert.match(mistaken.out, /^✗ settings +PORT must be/m)
  assert.equal(mistaken.code, 1)
})

test('doctor says what would not work and how to fix it', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const [file, open] = [join(folder, 'no-folder'), join(folder, 'open')]
  await writeFile(file, '')
  await mkdir(open, { mode: 0o755 })
  const free = { PORT: '0', HTTPS_PORT: '0', MEDIA_PORT: '47123', MEDIA_WORKERS: '1' }
  for (const [env, check, verdict, says] of [
    [{ PORT: 'x' }, 'settings', 'bad', /PORT must be/],
    [{ PORT: String(port) }, 'port', 'note', /in use.*PORT/],
    [{ HOST: '203.0.113.9' }, 'port', 'bad', /cannot be opened.*HOST/],
    [{ MEDIA_PORT: String(port) }, 'media ports', 'note', /\(TCP\) is in use.*MEDIA_PORT/],
    [{ MEDIASOUP_WORKER_BIN: file }, 'media worker', 'bad', /npm run worker/],
    [{ DATA_DIR: file }, 'data folder', 'bad', /is not a folder.*DATA_DIR/],
    [{ DATA_DIR: join(file, 'below') }, 'data folder', 'bad', /is not a folder.*DATA_DIR/],
    [{ DATA_DIR: open }, 'data folder', 'bad', /chmod 700/],
    [{ TLS_CERT: file, TLS_KEY: file }, 'certificate', 'bad', /^TLS_CERT names/],
    [{ HOST: '0.0.0.0', ANNOUNCED_ADDRESS: '10.0.0.7' }, 'address', 'note', /private.*not of this machine/],
    [{ ANNOUNCED_ADDRESS: '::1' }, 'media worker', 'good', /answers where it is announced/],
    [{ DATABASE_URL: 'postgres://127.0.0.1:1/x' }, 'database', 'bad', /does not answer.*DATABASE_URL/],
    [{}, 'address', 'note', /only this machine/],
    [{ PUBLIC_URL: 'https://meet.example' }, 'address', 'note', /at 127\.0\.0\.1.*set ANNOUNCED_ADDRESS/],
    [{ ANNOUNCED_ADDRESS: '203.0.113.10' }, 'address', 'note', /must be forwarded from there/],
  ] as const) {
    const findings = await findingsOf({ ...free, ...env })
    const found = findings.find((one) => one.check === check)!
    assert.equal(found.verdict, verdict, `${check}: ${found.says}`)
    assert.match(found.says, says)
  }
})

test('a start that must fail prints one sentence and ends with code 1, and doctor finds the same', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const [file, cert, key] = ['a-file', 'cert.pem', 'key.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(file, '')
  const [made, other] = await Promise.all([
    generate([{ name: 'commonName', value: 'meet.example' }], { keyType: 'ec' }),
    generate([{ name: 'commonName', value: 'other.example' }], { keyType: 'ec' }),
  ])
  await writeFile(cert, made.cert)
  await writeFile(key, other.private)
  const nowhere = join(folder, 'nowhere.pem')
  const folders = ['damaged', 'newer', 'open-key', 'open-admin-key', 'short-admin-key'] as const
  const [damaged, newer, openKey, openAdminKey, shortAdminKey] = await Promise.all(
    folders.map(async (name) => {
      const copy = join(folder, name)
      await cp(join(folder, 'data'), copy, { recursive: true })
      await chmod(copy, 0o700)
      await writeFile(join(copy, 'admin.key'), `${'k'.repeat(43)}\n`, { mode: 0o600 })
      return copy
    }),
  )
  await writeFile(join(damaged!, 'anteroom.db'), 'no database'.repeat(100))
  const db = new Database(join(newer!, 'anteroom.db'))
  db.prepare('insert into kysely_migration (name, timestamp) values (?, ?)').run('9999-of-tomorrow', 'now')
  db.close()
  await chmod(join(openKey!, 'master.key'), 0o644)
  await chmod(join(openAdminKey!, 'admin.key'), 0o644)
  await writeFile(join(shortAdminKey!, 'admin.key'), 'short')
  for (const [env, pattern] of [
    [{ PORT: String(port) }, /Port \d+ is in use.*PORT/],
    [{ HTTPS_PORT: String(port) }, /Port \d+ is in use.*HTTPS_PORT/],
    [{ MEDIA_PORT: String(port) }, /Port \d+, which media needs.*MEDIA_PORT/],
    [{ PORT: 'x' }, /^PORT must be/],
    [{ DATA_DIR: file }, /DATA_DIR/],
    [{ DATA_DIR: join(file, 'below') }, /DATA_DIR/],
    [{ ANTEROOM_PROT: '1' }, /unknown setting/],
    [{ HOST: 'nowhere.invalid' }, /HOST/],
    [{ HOST: '203.0.113.9' }, /HOST/],
    [{ MASTER_KEY: 'short' }, /^MASTER_KEY must be/],
    [{ TLS_CERT: nowhere, TLS_KEY: key }, /^TLS_CERT names .*cannot be read/],
    [{ TLS_CERT: file, TLS_KEY: key }, /^TLS_CERT names .*does not contain a certificate/],
    [{ TLS_CERT: cert, TLS_KEY: file }, /^TLS_KEY names .*does not contain a private key/],
    [{ TLS_CERT: cert, TLS_KEY: key }, /does not belong/],
    [{ DATABASE_URL: 'nowhere://' }, /^DATABASE_URL must be postgres:/],
    [{ DATABASE_URL: 'postgres://user:word@127.0.0.1:1/x' }, /does not answer.*DATABASE_URL/],
    [{ PORT: '9555', HTTPS_PORT: '9555' }, /^PORT and HTTPS_PORT are both 9555/],
    [{ PORT: '47133' }, /^PORT is 47133, which is one of the 1 media ports/],
    [{ ANNOUNCED_ADDRESS: '300.1.1.1' }, /^ANNOUNCED_ADDRESS must be an IP address or a host name/],
    [{ ANNOUNCED_ADDRESS: '0.0.0.0' }, /^ANNOUNCED_ADDRESS must be an address that clients can send to/],
    [
      { ANNOUNCED_ADDRESS: 'nowhere.invalid' },
      /^ANNOUNCED_ADDRESS names nowhere\.invalid, which does not resolve/,
    ],
    [{ PUBLIC_URL: 'https://meet.example/?x=1' }, /^PUBLIC_URL must be an address without a query/],
    [{ TURN_URLS: 'turn:turn.example' }, /^TURN_URLS names a TURN server/],
    [{ DATA_DIR: damaged }, /is damaged/],
    [{ DATA_DIR: newer }, /was written by a newer Anteroom/],
    [{ DATA_DIR: join(folder, 'data'), MASTER_KEY: 'ab'.repeat(32) }, /created with another master key/],
    [{ DATA_DIR: openKey }, /Other users can read the master key/],
    [{ DATA_DIR: openAdminKey }, /Other users can read the admin key/],
    [{ DATA_DIR: shortAdminKey }, /admin\.key is too short/],
  ] as const) {
    const given = { PORT: '0', HTTPS_PORT: '0', MEDIA_PORT: '47133', MEDIA_WORKERS: '1', ...env }
    // What has opened something is stopped by the end of its process.
    const opensNothing = isRefused({ ...process.env, ...settings(), ...given })
    const serve = opensNothing ? commands.run(['serve'], given) : anteroom(['serve'], given)
    const [ran, seen] = await Promise.all([serve, findingsOf(given)])
    assert.equal(ran.code, 1, ran.out + ran.err)
    isOneSentence(ran, pattern)
    // The port may be in use by the server itself.
    const isFound = ran.err.includes('in use')
      ? seen.some(({ verdict, says }) => verdict === 'note' && says.includes(' in use'))
      : seen.some(({ verdict }) => verdict === 'bad')
    assert.ok(isFound, `doctor sees nothing wrong with ${JSON.stringify(env)}: ${JSON.stringify(seen)}`)
  }
})

test('the first start creates what it needs and says where; the second finds it; each stop is orderly', async () => {
  const server = await RealServer.start({
    VIDEOSDK_API_KEY: '',
    VIDEOSDK_SECRET_KEY: '',
    LOG_FORMAT: 'pretty',
  })
  try {
    const dataDir = server.env.DATA_DIR!
    const kept = async (): Promise<string[]> =>
      Promise.all(
        ['master.key', 'api-key.env', 'tls/cert.pem', 'tls/key.pem'].map((name) =>
          readFile(join(dataDir, name), 'utf8'),
        ),
      )
    const first = await kept()
    const { apiKey, secret } = /VIDEOSDK_API_KEY=(?<apiKey>.+)\nVIDEOSDK_SECRET_KEY=(?<secret>.+)\n/.exec(
      first[1]!,
    )!.groups!
    assert.equal((await stat(dataDir)).mode & 0o777, 0o700)
    for (const name of ['master.key', 'api-key.env', 'tls/key.pem'])
      assert.equal((await stat(join(dataDir, name))).mode & 0o777, 0o600, name)
    const token = signAnything({ apikey: apiKey, permissions: ['allow_join'] }, secret)
    let meetingId = ''
    let sessionId: string | undefined
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const said = server.output
      for (const part of [`${server.url}/`, server.secureUrl, apiKey!, join(dataDir, 'api-key.env')])
        assert.ok(said.includes(part), part)
      assert.match(said, /media +on, 2 workers, ports \d+, \d+ \(UDP and TCP\)/)
      assert.equal(said.includes(secret!), false)
      if (meetingId === '') {
        const made = await fetch(`${server.url}/v2/rooms`, {
          method: 'POST',
          headers: { authorization: token },
        })
        ;({ roomId: meetingId } = (await made.json()) as { roomId: string })
      }
      const ann = new WireClient({ url: server.url, token, meetingId, participantId: 'ann' })
      const { self } = await ann.join()
      assert.equal(self.sessionId, (sessionId ??= self.sessionId), 'the session of before')
      assert.equal(await server.end(signal), 0)
      // Printed when everything is closed; a stop that takes too long ends without it.
      assert.match(server.output, /\nstopped\n$/)
      // The connection is cut without a goodbye, because published clients return only after a cut.
      assert.equal((await ann.hears('disconnect')).reason, 'transport close')
      assert.equal(ann.closed, undefined)
      assert.deepEqual(await kept(), first)
      if (signal === 'SIGTERM') await server.run()
    }
  } finally {
    await server.stop()
  }
})

test('against a running server, ends a session and revokes a key immediately', async () => {
  const server = await RealServer.start({
    TRUSTED_PROXIES: '192.0.2.1',
    ANNOUNCED_ADDRESS: '127.0.0.1',
    LOG_FORMAT: 'pretty',
  })
  try {
    assert.match(server.output, /! media is announced at 127\.0\.0\.1, .*set ANNOUNCED_ADDRESS/)
    const made = await commands.run(['keys', 'create', '--json'], server.env)
    const { apiKey, secret } = JSON.parse(made.out)
    const token = signAnything({ apikey: apiKey, permissions: ['allow_join'] }, secret)
    const validate = async (): Promise<any> =>
      (await fetch(`${server.url}/v2/rooms`, { headers: { authorization: token } })).json()
    // The running server accepts a new key within a second, and refuses a revoked one as quickly.
    const until = async (holds: (body: any) => boolean): Promise<void> => {
      const giveUpAt = Date.now() + 60_000
      while (!holds(await validate())) assert.ok(Date.now() < giveUpAt)
    }
    await until((body) => Array.isArray(body.data))
    const meetingId = (await commands.run(['meeting', 'create'], server.env)).out.trim()
    const idle = await commands.run(['meeting', 'end', meetingId], server.env)
    assert.equal(idle.code, 3)
    isOneSentence(idle, /no ongoing session/)
    assert.equal((await commands.run(['keys', 'revoke', apiKey], server.env)).code, 0)
    await until((body) => body.code === 'APIKEY_DEACTIVATED')
    const ended = await commands.run(['keys', 'revoke', apiKey, '--end-connections', '--json'], server.env)
    assert.deepEqual(JSON.parse(ended.out), { apiKey, revoked: true, ended: 0 })

    const own = signAnything({ apikey: API_KEY, permissions: ['allow_join'], jti: 'lost' })
    const inside = new WireClient({ url: server.url, token: own, meetingId })
    await inside.enter()
    assert.equal((await commands.run(['token', 'revoke', 'lost'], server.env)).code, 0)
    assert.equal((await inside.hears('error')).code, 4002)
    inside.close()

    const signIn = (code: string): Promise<Response> =>
      fetch(`${server.url}/v2/admin/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      })
    const printed = /sign-in=([\w-]+)/.exec(server.output)![1]!
    const link = (await commands.run(['admin', 'reset'], server.env)).out.trim()
    assert.ok(link.startsWith(`${server.url}/dashboard#sign-in=`), link)
    assert.equal((await signIn(printed)).status, 401)
    assert.equal((await signIn(link.split('=')[1]!)).status, 200)
    assert.equal(await server.end('SIGTERM'), 0)
    const noServer = await commands.run(['meeting', 'end', meetingId], server.env)
    assert.equal(noServer.code, 1)
    isOneSentence(noServer, /No server answers/)
  } finally {
    await server.stop()
  }
})

test('move-check lists what to change in an app and what to expect, and makes the changes on request', async () => {
  const app = join(folder, 'an app')
  await mkdir(join(app, 'node_modules'), { recursive: true })
  const page = join(app, 'index.js')
  await writeFile(join(app, 'package.json'), '{"dependencies":{"@videosdk.live/js-sdk":"0.0.82"}}')
  await writeFile(page, 'fetch("https://api.videosdk.live/v2/rooms")\nVideoSDK.initMeeting({ meetingId })\n')
  await writeFile(join(app, 'node_modules/x.js'), 'VideoSDK.initMeeting({ meetingId })')
  const before = await commands.run(['move-check', app, '--server', 'meet.example.org', '--json'])
  assert.equal(before.code, 1)
  const { sdks, changes } = JSON.parse(before.out)
  assert.deepEqual(
    changes.map(({ file, line }: any) => [file, line]),
    [
      ['index.js', 1],
      ['index.js', 2],
    ],
  )
  assert.deepEqual(
    sdks.map(({ sdk, version, works }: any) => [sdk, version, works]),
    [['js-sdk', '0.0.82', true]],
  )
  assert.match((await commands.run(['move-check', app])).out, /2 places are left to change/)
  assert.equal((await commands.run(['move-check', app, '--server', 'meet.example.org', '--write'])).code, 0)
  assert.equal(
    await readFile(page, 'utf8'),
    'fetch("https://meet.example.org/v2/rooms")\nVideoSDK.initMeeting({ signalingBaseUrl: "meet.example.org", meetingId })\n',
  )
  isOneSentence(await commands.run(['move-check', join(folder, 'nowhere')]), /is not a folder/)
  isOneSentence(await commands.run(['move-check', app, '--server', 'https://x y']), /--server must be a host/)
})
