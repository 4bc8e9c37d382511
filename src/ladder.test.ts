/** Holds the import ladder of CONTRIBUTING.md: imports run down, neighbours on a rung stay apart, nothing runs in a circle. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'

const src = import.meta.dirname
/** What each room may import from; a room may always import from itself. */
const below: Record<string, string[]> = {
  protocol: [],
  addresses: [],
  token: ['protocol'],
  store: ['protocol'],
  media: ['protocol', 'addresses'],
  webhook: ['protocol'],
  metrics: ['protocol'],
  log: [],
  loopback: [],
  meeting: ['token', 'store', 'media', 'webhook', 'protocol'],
  api: ['meeting', 'token', 'store', 'media', 'webhook', 'metrics', 'log', 'protocol', 'addresses'],
  client: ['protocol'],
  'server-client': ['token', 'protocol'],
  // A client of the wire too, without a browser.
  load: ['client', 'protocol'],
  web: ['client'],
  config: ['addresses'],
  foundation: ['config', 'meeting', 'store'],
  welcome: ['config'],
  server: [
    'foundation',
    'config',
    'welcome',
    'api',
    'meeting',
    'token',
    'store',
    'media',
    'webhook',
    'metrics',
    'log',
    'protocol',
    'addresses',
  ],
  cli: [
    'load',
    'server',
    'foundation',
    'config',
    'api',
    'meeting',
    'token',
    'store',
    'media',
    'protocol',
    'addresses',
  ],
  index: ['server', 'config', 'token', 'protocol', 'client', 'store', 'media', 'meeting', 'api'],
}
/** Folders with several implementations: from outside only the head file. */
const heads: Record<string, string> = {
  store: 'store/store.ts',
  media: 'media/sfu.ts',
  token: 'token/token.ts',
  webhook: 'webhook/webhook.ts',
  metrics: 'metrics/metrics.ts',
}

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

test('imports run down the ladder, and into a folder by its head file', () => {
  const wrong: string[] = []
  for (const file of files) {
    const room = roomOf(file)
    for (const target of importsOf(file)) {
      if (target.file.startsWith('..')) continue
      const other = roomOf(target.file)
      if (other === room) continue
      if (!below[room]?.includes(other)) wrong.push(`${file} imports ${target.file}`)
      else if (heads[other] && target.file !== heads[other] && room !== 'index')
        wrong.push(`${file} goes past ${heads[other]} to ${target.file}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('no file imports itself by way of others', () => {
  const graph = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((t) => !t.typeOnly)
        .map((t) => t.file),
    ]),
  )
  const done = new Set<string>()
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) assert.fail(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
})

test('each library has one door', () => {
  const doors: Record<string, string> = {
    mediasoup: 'media',
    'socket.io': 'api',
    kysely: 'store',
    'better-sqlite3': 'store',
    'mediasoup-client': 'client',
    'socket.io-client': 'client',
    fastify: 'api',
    'prom-client': 'metrics',
    react: 'web',
    werift: 'load',
  }
  const wrong: string[] = []
  for (const file of files) {
    for (const match of readFileSync(join(src, file), 'utf8').matchAll(/from\s+'([^'.][^']*)'/g)) {
      const name = match[1]!.startsWith('@') ? match[1]! : match[1]!.split('/')[0]!
      const door = doors[name]
      if (door && roomOf(file) !== door) wrong.push(`${relative('.', file)} imports ${name}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('no install script runs but our own, under any npm', () => {
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
