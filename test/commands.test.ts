/** Commands create nothing that was not requested, keep nothing that they could not show, and close what they write. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { openSync, closeSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createSignIn } from '../src/api/rest/admin/sign-in.ts'
import { openStore } from '../src/store/open.ts'
import type { Store } from '../src/store/store.ts'
import { Commands, type Ran } from './support/commands.ts'
import { freePorts } from './support/ports.ts'
import { signAnything } from './support/test-server.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
let folder: string
let compiled: string
/** A complete data folder, and a backup of it. */
let data: string
let backup: string
let commands: Commands

const settings = (): NodeJS.ProcessEnv => ({
  // Compilation takes half of the time of a command.
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compiled,
  DATA_DIR: data,
  LOG_LEVEL: 'error',
  PORT: '1',
  MEDIA_WORKERS: '1',
})

/** The real program, in a process of its own. */
async function anteroom(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  stdout: 'pipe' | 'closed' | number = 'pipe',
): Promise<Ran> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env: { ...process.env, ...settings(), ...env },
    stdio: ['ignore', stdout === 'closed' ? 'pipe' : stdout, 'pipe'],
    timeout: 180_000,
  })
  let [out, err] = ['', '']
  if (stdout === 'closed') child.stdout!.destroy()
  else child.stdout?.on('data', (chunk) => (out += String(chunk)))
  child.stderr!.on('data', (chunk) => (err += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-commands-'))
  compiled = await mkdtemp(join(tmpdir(), 'anteroom-compiled-'))
  data = join(folder, 'data')
  backup = join(folder, 'kept.db')
  commands = new Commands(folder, settings())
  const made = await anteroom(['init'])
  assert.equal(made.code, 0, made.err)
  assert.equal((await anteroom(['backup', backup])).code, 0)
})
after(() => commands.stop())
after(() => Promise.all([folder, compiled].map((made) => rm(made, { recursive: true, force: true }))))

/** Each command with valid arguments. */
const asked: Record<string, readonly string[]> = {
  'projects list': [],
  'projects create': ['name'],
  'projects rename': ['x', 'name'],
  'keys list': [],
  'keys create': [],
  'keys rotate': ['x'],
  'keys revoke': ['x'],
  'token mint': [],
  'token inspect': [signAnything({ apikey: 'x' })],
  'token revoke': ['x'],
  'meeting create': [],
  'meeting list': [],
  'meeting show': ['x'],
  'meeting end': ['x'],
  backup: ['new.db'],
  restore: ['kept.db'],
  'master-key rotate': [],
  'webhooks list': [],
  'webhooks show': ['x'],
  'webhooks replay': ['--parked'],
  'admin reset': [],
  'audit list': [],
  'audit export': [],
  'people export': ['x'],
  'people erase': ['x'],
  import: ['--from', 'http://localhost:1', '--token', 'x'],
}
/** Commands that use no data folder, or that create one on purpose. */
const others = [
  'serve',
  'token-server',
  'init',
  'doctor',
  'move-check',
  'load',
  'migrate-store',
  'nodes list',
  'drain',
]

test('a mistyped folder stays as it is: every command but serve and init fails with one sentence', async () => {
  const { out } = await anteroom(['--help'])
  const named = [...out.split('\n\n')[1]!.matchAll(/^ {2}(\S+(?: \S+)?) {2,}/gm)].map(([, name]) => name!)
  assert.deepEqual([...Object.keys(asked), ...others].sort(), named.sort(), 'a command has no row here')
  const empty = join(folder, 'empty')
  await mkdir(empty)
  const rows: [args: string[], env: NodeJS.ProcessEnv][] = [
    ...Object.entries(asked).map(([name, args]): [string[], NodeJS.ProcessEnv] => [
      [...name.split(' '), ...args],
      {},
    ]),
    [['keys', 'revoke', 'x', '--end-connections'], {}],
    [
      ['token', 'mint'],
      { VIDEOSDK_API_KEY: 'k', VIDEOSDK_SECRET_KEY: 'a-secret-of-the-environment-of-some-length' },
    ],
    [['keys', 'list'], { MASTER_KEY: randomBytes(32).toString('base64') }],
    [['token-server'], {}],
    [['load', '--url', 'http://localhost:1'], {}],
  ]
  const before = readdirSync(folder).sort()
  for (const [args, env] of rows) {
    const places = ['keys', 'backup', 'restore'].includes(args[0]!)
      ? [join(folder, 'typo'), join(folder, 'typo', 'deeper'), empty]
      : [join(folder, 'typo')]
    for (const typo of places) {
      const what = `${args.join(' ')} in ${typo}`
      // One of them for real, to see that the process itself ends like that.
      const run = args[0] === 'backup' ? anteroom : commands.run.bind(commands)
      const ran = await run(args, { ...env, DATA_DIR: typo })
      assert.deepEqual([ran.code, ran.out], [1, ''], `${what}: ${ran.err}`)
      assert.equal(ran.err.trim().split('\n').length, 1, `${what}: ${ran.err}`)
      assert.equal(existsSync(typo), typo === empty, what)
      assert.deepEqual(readdirSync(empty), [], what)
    }
  }
  for (const typo of [join(folder, 'typo'), empty]) {
    await anteroom(['doctor'], { DATA_DIR: typo, PORT: '0', HTTPS_PORT: '0' })
    assert.equal(existsSync(typo), typo === empty)
    assert.deepEqual(readdirSync(empty), [])
  }
  assert.deepEqual(readdirSync(folder).sort(), before)
})

test('commands that change something are in the audit log, as the user of the machine', async () => {
  const run = async (...args: string[]) => {
    const ran = await commands.run(args)
    assert.equal(ran.code, 0, ran.err)
    return ran.out.trim()
  }
  const from = new Date().toISOString()
  const projectId = await run('projects', 'create', 'Audited')
  await run('projects', 'rename', projectId, 'Audited again')
  const { apiKey } = JSON.parse(await run('keys', 'create', '--project', projectId, '--json'))
  const { apiKey: successor, secret } = JSON.parse(await run('keys', 'rotate', apiKey, '--json'))
  await run('keys', 'revoke', apiKey)
  await run('token', 'revoke', 'a-jti', '--project', projectId)
  await run('webhooks', 'replay', '--parked')
  await run('keys', 'list')
  const { data } = JSON.parse(await run('audit', 'list', '--from', from, '--json'))
  const { username } = userInfo()
  assert.deepEqual(
    data.toReversed().map((entry: any) => [entry.actor, entry.actorName, entry.action, entry.subject]),
    [
      ['command', username, 'project.create', projectId],
      ['command', username, 'project.change', projectId],
      ['command', username, 'key.create', apiKey],
      ['command', username, 'key.rotate', apiKey],
      ['command', username, 'key.revoke', apiKey],
      ['command', username, 'token.revoke', 'a-jti'],
      ['command', username, 'webhook.replay-all', null],
    ],
  )
  assert.match(await run('audit', 'list', '--action', 'key.rotate', '--from', from), new RegExp(successor))
  const lines = (await run('audit', 'export', '--format', 'jsonl', '--subject', apiKey)).split('\n')
  assert.equal(lines.length, 3)
  assert.ok(!lines.join().includes(secret))
  const wrong = await commands.run(['audit', 'list', '--from', 'yesterday'])
  assert.deepEqual(
    [wrong.code, wrong.err.trim()],
    [2, '--from must be an instant, e.g. 2026-01-31T12:00:00Z.'],
  )
})

test('only serve and init put the key of the environment into the store', async () => {
  const env = {
    VIDEOSDK_API_KEY: 'of-the-environment',
    VIDEOSDK_SECRET_KEY: 'a-secret-of-some-length-for-this-test',
  }
  for (const args of [
    ['keys', 'list'],
    ['token', 'mint'],
    ['meeting', 'list'],
  ]) {
    const ran = await commands.run(args, env)
    assert.equal(ran.code, 0, ran.err)
    assert.ok(!ran.out.includes('of-the-environment'))
  }
  assert.ok(!(await commands.run(['keys', 'list'])).out.includes('of-the-environment'))
  assert.equal((await commands.run(['init'], env)).code, 0)
  assert.ok((await commands.run(['keys', 'list'])).out.includes('of-the-environment'))
})

test('creates nothing that cannot be shown: with a full disk, or a reader that went away', async () => {
  const key = JSON.parse((await anteroom(['keys', 'create', '--json'])).out).apiKey
  const store = await openStore({ folder: data })
  const signIn = createSignIn({ store, now: Date.now, randomBytes })
  const owner = await signIn.firstOwner()
  const cookie = await signIn.setPassword(owner, 'a password of some length', { address: '', browser: '' })
  const state = async (its: Store) => ({
    keys: await its.keys.list(),
    projects: await its.projects.list(),
    meetings: await Promise.all(
      (await its.projects.list()).map(({ projectId }) =>
        its.meetings.list(projectId, { page: 1, perPage: 100 }),
      ),
    ),
    signedIn: [
      await signIn.isPassword(await signIn.firstOwner(), 'a password of some length'),
      (await signIn.check(cookie)) !== undefined,
    ],
  })
  try {
    const before = await state(store)
    assert.deepEqual(before.signedIn, [true, true])
    const full = openSync('/dev/full', 'w')
    const some = ['create --json', 'reset']
    for (const args of [
      ['keys', 'create'],
      ['keys', 'create', '--json'],
      ['keys', 'rotate', key],
      ['projects', 'create', 'unseen'],
      ['meeting', 'create'],
      ['meeting', 'create', '--custom-id', 'unseen'],
      ['admin', 'reset'],
      ['token', 'mint'],
      ['keys', 'list'],
    ]) {
      for (const [stdout, code] of [
        [full, 'ENOSPC'],
        ['closed', 'EPIPE'],
      ] as const) {
        if (stdout === 'closed' && !some.includes(args.slice(1).join(' '))) continue
        const ran = await anteroom(args, {}, stdout)
        assert.equal(ran.code, 1, `${args.join(' ')}: ${ran.err}`)
        assert.equal(ran.err, `Standard output cannot be written to (${code}).\n`, args.join(' '))
        assert.deepEqual(await state(store), before, args.join(' '))
      }
    }
    closeSync(full)
    // Creates what can be shown.
    for (const args of [
      ['keys', 'rotate', key],
      ['projects', 'create', 'seen'],
      ['meeting', 'create'],
      ['admin', 'reset'],
    ])
      assert.equal((await commands.run(args)).code, 0)
    const after = await state(store)
    assert.equal(after.keys.length, before.keys.length + 1)
    assert.equal(after.projects.length, before.projects.length + 1)
    assert.equal(after.meetings[0]!.total, before.meetings[0]!.total + 1)
    assert.deepEqual(after.signedIn, [false, false])
  } finally {
    await store.close()
  }
})

test('reads a .env file with a byte-order mark; one that cannot be read stops every command', async () => {
  const file = join(folder, '.env')
  try {
    writeFileSync(file, '\ufeffHTTPS_PORT=wrong\r\nLOG_LEVEL=error\r\n')
    const ran = await anteroom(['keys', 'list'])
    assert.deepEqual([ran.code, ran.out], [1, ''])
    assert.match(ran.err, /^HTTPS_PORT must be/)
    writeFileSync(file, 'HTTPS_PORT: 0\n')
    assert.match((await anteroom(['keys', 'list'])).err, /\.env line 1 names HTTPS_PORT and does not set it/)
    const doctor = await anteroom(['doctor', '--json'], { PORT: '0' })
    assert.equal(doctor.code, 1)
    assert.match(doctor.out, /"env file","verdict":"bad","says":"\.env line 1 names HTTPS_PORT/)
    writeFileSync(file, '\ufeffHTTPS_PORT=0\n')
    assert.match((await anteroom(['doctor'], { PORT: '0' })).out, /✓ env file +1 variable read from \.env/)
  } finally {
    await rm(file)
  }
})

test('doctor notes which programs recordings lack, and names those that it found', async () => {
  const recordings = async (chromium: string): Promise<string> => {
    const env = { PORT: '0', HTTPS_PORT: '0', CHROMIUM_BIN: chromium, FFMPEG_BIN: process.execPath }
    return (await anteroom(['doctor', '--json'], env)).out
  }
  assert.match(
    await recordings('/nowhere'),
    /"recordings","verdict":"note","says":"Recordings, HLS and livestreams need Chromium: install it/,
  )
  const found = `"recordings","verdict":"good","says":"made with ${process.execPath} and ${process.execPath}"`
  assert.ok((await recordings(process.execPath)).includes(found))
})

/** Lists all files and folders that others may access. */
function openToOthers(path: string): string[] {
  const { mode } = statSync(path)
  return [
    ...((mode & 0o077) === 0 ? [] : [`${path} ${(mode & 0o777).toString(8)}`]),
    ...(statSync(path).isDirectory()
      ? readdirSync(path).flatMap((name) => openToOthers(join(path, name)))
      : []),
  ]
}

test('with any umask, nobody else can read what a server or a backup writes', async () => {
  const port = await freePorts(3)
  const open = join(folder, 'open')
  const env = {
    ...process.env,
    DATA_DIR: join(open, 'data'),
    PORT: String(port),
    HTTPS_PORT: String(port + 1),
    MEDIA_PORT: String(port + 2),
    MEDIA_WORKERS: '1',
    LOG_LEVEL: 'error',
  }
  await mkdir(open)
  const bare = (...args: string[]) =>
    spawn('sh', ['-c', 'umask 000; exec "$0" "$@"', process.execPath, cli, ...args], { env, cwd: open })
  const server = bare('serve')
  try {
    let said = ''
    await new Promise<void>((resolve) =>
      server.stdout.on('data', (chunk) => (said += String(chunk)).includes('"msg":"ready"') && resolve()),
    )
    // Something to write for a while.
    const store = await openStore({ folder: env.DATA_DIR })
    for (let at = 0; at < 50; at++)
      await store.values.set(`filling:${at}`, randomBytes(200_000).toString('hex'))
    await store.close()
    assert.ok(existsSync(join(env.DATA_DIR, 'anteroom.db-wal')))
    assert.deepEqual(openToOthers(env.DATA_DIR), [])

    const kept = join(open, 'kept.db')
    const backup = bare('backup', kept)
    const ended = once(backup, 'exit')
    const modes = new Map<string, Set<string>>()
    let running = true
    void ended.then(() => (running = false))
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- changed by an event
    while (running) {
      for (const name of readdirSync(open).filter((name) => name.startsWith('kept'))) {
        const found = await stat(join(open, name)).catch(() => undefined)
        if (!found) continue
        const seen = modes.get(name) ?? new Set()
        modes.set(name, seen.add((found.mode & 0o777).toString(8)))
      }
      await new Promise((next) => setImmediate(next))
    }
    assert.deepEqual(await ended, [0, null])
    assert.ok(modes.has('kept.db.part'), 'the backup was not seen while it was written')
    for (const [name, seen] of modes) assert.deepEqual([...seen], ['600'], name)
    assert.equal((await stat(kept)).mode & 0o777, 0o600)
  } finally {
    server.kill()
    await once(server, 'exit')
  }
})
