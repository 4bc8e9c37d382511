/** Holds the import ladder of CONTRIBUTING.md (imports run down, neighbours on a rung stay apart, no imports form a circle), and the sizes of files. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const src = import.meta.dirname
/** What each room may import from; a room may always import from itself. */
const below: Record<string, string[]> = {
  protocol: [],
  // Packets of RTP, and the frames in them.
  rtp: [],
  addresses: [],
  loopback: [],
  // STUN, and how to ask media ports and TURN servers whether they can be reached.
  stun: [],
  token: ['protocol'],
  store: ['errors', 'protocol'],
  media: ['errors', 'protocol', 'addresses', 'loopback', 'udp-sockets'],
  webhook: ['protocol', 'tracing'],
  metrics: ['protocol'],
  // Engines that turn media into files, broadcasts and texts.
  output: ['errors', 'loopback', 'media', 'protocol', 'rtp'],
  log: [],
  tracing: ['log'],
  version: [],
  'udp-sockets': [],
  tally: [],
  shares: ['protocol', 'tally'],
  // What exists and who may use it, beside what goes on now: neighbours that never import each other.
  project: ['token', 'store', 'protocol', 'shares'],
  meeting: ['token', 'store', 'media', 'output', 'webhook', 'protocol', 'shares', 'tracing'],
  // Several nodes over one store: which is the home of a meeting, and the way there.
  cluster: ['addresses', 'errors', 'media', 'meeting', 'output', 'protocol', 'store'],
  api: [
    'errors',
    'meeting',
    'project',
    'shares',
    'tally',
    'token',
    'store',
    'media',
    'output',
    'webhook',
    'metrics',
    'log',
    'tracing',
    'protocol',
    'addresses',
    'loopback',
    'stun',
  ],
  client: ['protocol'],
  'server-client': ['token', 'protocol'],
  // WebRTC without a browser, and the two clients of the wire over it.
  rtc: ['loopback', 'protocol', 'stun'],
  load: ['client', 'protocol', 'rtc', 'udp-sockets'],
  agent: ['client', 'protocol', 'rtc', 'rtp'],
  web: ['client', 'server-client', 'protocol'],
  react: [],
  errors: [],
  config: ['errors', 'addresses', 'loopback'],
  server: [
    'errors',
    'version',
    'config',
    'api',
    'cluster',
    'meeting',
    'project',
    'token',
    'store',
    'media',
    'output',
    'webhook',
    'metrics',
    'log',
    'tracing',
    'protocol',
    'addresses',
    'loopback',
  ],
  cli: [
    'client',
    'stun',
    'errors',
    'version',
    'load',
    'server-client',
    'server',
    'config',
    'api',
    'cluster',
    'meeting',
    'project',
    'token',
    'store',
    'media',
    'output',
    'protocol',
    'addresses',
  ],
  index: ['errors', 'server', 'config', 'token', 'protocol', 'client', 'store', 'media', 'meeting', 'api'],
}
/** The pages name the shapes of REST and load none of their schemas. */
const typesOnly: Record<string, string> = { web: 'protocol' }
/**
 * Files of a folder that others may import. A contract says what the folder gives, loads none of its implementations, and is
 * open to every room above. A factory builds one, and is open to the rooms that put the server together.
 */
const doors: Record<string, { contract: string[]; factory?: string[] }> = {
  store: {
    contract: ['store.ts', 'problem.ts', 'cluster.ts'],
    factory: ['open.ts', 'sqlite/backup.ts', 'secrets/rotate.ts', 'copy/migrate.ts', 'copy/backup.ts'],
  },
  media: {
    contract: ['sfu.ts', 'log.ts', 'refusals.ts'],
    factory: ['create.ts', 'addresses.ts', 'ports.ts', 'preparation.ts'],
  },
  webhook: { contract: ['webhook.ts', 'guard.ts'], factory: ['create.ts', 'download.ts'] },
  output: {
    contract: [
      'output.ts',
      'files/files.ts',
      'files/content-types.ts',
      'files/problem.ts',
      'jobs/job.ts',
      'jobs/problem.ts',
    ],
    factory: [
      'create.ts',
      'disk.ts',
      'programs.ts',
      'files/open.ts',
      'files/upload.ts',
      'jobs/create.ts',
      'speech/local/local.ts',
      'speech/local/model-folder.ts',
    ],
  },
  metrics: { contract: ['metrics.ts', 'history.ts', 'cpu-meter.ts', 'alerts.ts', 'busyness.ts'] },
  token: { contract: ['token.ts'] },
  'server-client': { contract: ['call.ts'] },
  tracing: { contract: ['tracing.ts'], factory: ['open.ts'] },
}
const factoryRooms = new Set(['server', 'cli', 'index'])

const files = globSync('**/*.{ts,tsx}', { cwd: src }).filter(
  (file) => !/\.test\.tsx?$/.test(file) && !file.endsWith('.d.ts'),
)
const roomOf = (file: string): string => file.split('/')[0]!.replace(/\.tsx?$/, '')

function importsOf(file: string): { file: string; typeOnly: boolean }[] {
  const text = readFileSync(join(src, file), 'utf8')
  const found: { file: string; typeOnly: boolean }[] = []
  for (const match of text.matchAll(
    /(?:import|export)\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'|import\(\s*'(\.[^']+)'\s*\)|^import\s+'(\.[^']+)'/gm,
  )) {
    const target = match[2] ?? match[3] ?? match[4]!
    found.push({ file: normalize(join(dirname(file), target)), typeOnly: match[1] !== undefined })
  }
  return found
}

test('imports run down the ladder, and into a folder by one of its doors', () => {
  const wrong: string[] = []
  for (const file of files) {
    const room = roomOf(file)
    for (const { file: target, typeOnly } of importsOf(file)) {
      if (target.startsWith('..')) continue
      const other = roomOf(target)
      if (other === room) continue
      if (!below[room]?.includes(other)) wrong.push(`${file} imports ${target}`)
      if (typesOnly[room] === other && !typeOnly) wrong.push(`${file} imports more than types of ${target}`)
      const open = doors[other]
      if (!open || room === 'index') continue
      const door = target.slice(other.length + 1)
      if (open.contract.includes(door)) continue
      if (!open.factory?.includes(door)) wrong.push(`${file} goes past the doors of ${other}/ to ${target}`)
      else if (!factoryRooms.has(room)) wrong.push(`${file} imports the factory ${target}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('no file imports itself by way of others, not even for types', () => {
  const graph = new Map(files.map((file) => [file, importsOf(file).map((target) => target.file)]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  assert.deepEqual(circles, [])
})

/** Tables may be long: they are read by looking a row up. */
const TABLES = new Set(['config/settings.ts'])
const MAX_LINES = 400
const MAX_LINES_P90 = 250
const MAX_LINES_MEDIAN = 100

test('files stay short enough to be read at once', () => {
  const sizes = files
    .map((file) => ({ file, lines: readFileSync(join(src, file), 'utf8').trimEnd().split('\n').length }))
    .sort((a, b) => a.lines - b.lines)
  const tooLong = sizes.filter(({ file, lines }) => lines > MAX_LINES && !TABLES.has(file))
  assert.deepEqual(tooLong, [], 'part them by what they are about')
  const share = (part: number): number => sizes[Math.ceil(sizes.length * part) - 1]!.lines
  assert.ok(share(0.5) <= MAX_LINES_MEDIAN, `half of the files have more than ${share(0.5)} lines`)
  assert.ok(share(0.9) <= MAX_LINES_P90, `a tenth of the files have more than ${share(0.9)} lines`)
  const { lines } = sizes.find(({ file }) => file === 'meeting/live-meeting.ts')!
  assert.ok(lines <= 300, `meeting/live-meeting.ts wires its parts and has ${lines} lines`)
})

test('a contract loads no implementation', () => {
  const contracts = Object.entries(doors).flatMap(([room, { contract }]) =>
    contract.map((file) => `./${room}/${file}`),
  )
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({
      resolve(specifier, context, next) {
        loaded.push(specifier)
        return next(specifier, context)
      },
    })
    for (const file of ${JSON.stringify(contracts)})
      await import(new URL(file, ${JSON.stringify(pathToFileURL(src + '/').href)}))
    console.log(JSON.stringify(loaded))`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const loaded = JSON.parse(stdout) as string[]
  assert.ok(loaded.includes('../protocol/errors.ts'))
  const libraries = ['better-sqlite3', 'pg', 'kysely', 'mediasoup', '@opentelemetry/sdk-trace']
  assert.deepEqual(
    libraries.filter((library) => loaded.includes(library)),
    [],
  )
})

test('each library has one door', () => {
  const libraryDoors: Record<string, string | string[]> = {
    mediasoup: 'media',
    'socket.io': 'api',
    kysely: 'store',
    'better-sqlite3': 'store',
    pg: 'store',
    'mediasoup-client': 'client',
    'socket.io-client': 'client',
    fastify: 'api',
    'acme-client': 'api',
    cookie: 'api',
    'find-my-way': 'api',
    'secure-json-parse': 'api',
    'ipaddr.js': 'webhook',
    'prom-client': 'metrics',
    '@opentelemetry/api': 'tracing',
    react: ['web', 'react'],
    'intl-messageformat': 'web',
    werift: ['rtc', 'load', 'stun'],
    'libopus-wasm': 'agent',
    'opus-decoder': 'output',
  }
  const wrong: string[] = []
  for (const file of files) {
    for (const match of readFileSync(join(src, file), 'utf8').matchAll(/from\s+'([^'.][^']*)'/g)) {
      const name = match[1]!.startsWith('@') ? match[1]! : match[1]!.split('/')[0]!
      const door = libraryDoors[name]
      if (door && ![door].flat().includes(roomOf(file))) wrong.push(`${relative('.', file)} imports ${name}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('npm runs no install script except ours, in any version', () => {
  // Older npm knows no `allowScripts`; it goes by marks in package-lock.json, which `npm install` writes anew.
  const lock = JSON.parse(readFileSync(join(src, '../package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean; gypfile?: boolean }>
  }
  const marked = Object.entries(lock.packages).filter(
    ([path, { hasInstallScript }]) => path !== '' && hasInstallScript,
  )
  assert.deepEqual(
    marked.map(([path]) => path).filter((path) => !path.endsWith('fsevents')),
    [],
    'take "hasInstallScript" out of package-lock.json',
  )
  // npm 10 runs node-gyp for these by itself, which wants Python and a compiler.
  for (const [path, { gypfile }] of Object.entries(lock.packages))
    if (existsSync(join(src, '..', path, 'binding.gyp')))
      assert.equal(gypfile, false, `add "gypfile": false to ${path} in package-lock.json`)
})
