/**
 * Everything that the documents name exists: files, tests, settings, scripts, commands, codes, metrics; and the headers
 * are as documented.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { envExample } from '../src/config/describe.ts'
import { errorNames } from '../src/protocol/errors.ts'
import { leaveReasons } from '../src/protocol/leave-reasons.ts'
import { modeNames } from '../src/protocol/modes.ts'
import { TestServer } from './support/test-server.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const places = ['*.md', 'docs/**/*.md', 'docs/**/{Caddyfile,*.conf}', 'compose.yaml', 'Dockerfile']
const documents = globSync(places, { cwd: root })
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

/** Variables that are not settings of the server, but of its tests, its installation, Node and other programs. */
const OTHER_VARIABLES = [
  // Of the examples.
  'MEETING_ID',
  // For Node, and for the app in an example.
  'NODE_EXTRA_CA_CERTS',
  'API_BASE_URL',
  'TEST_KILLS',
  'TEST_OLDER',
  'TEST_POSTGRES',
  'CHROMIUM_BIN',
  'DEV_PORT',
  'MEDIASOUP_WORKER_BIN',
  'MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD',
  'XDG_CACHE_HOME',
  'NODE_ENV',
  'DEBIAN_FRONTEND',
]
/** Statuses of outputs on the wire, and the chat topics that change a layout (docs/contract). */
const OUTPUT_WORDS = [
  ...['RECORDING', 'HLS', 'LIVESTREAM', 'TRANSCRIPTION'].flatMap((output) =>
    ['STARTING', 'STARTED', 'STOPPING', 'STOPPED'].map((state) => `${output}_${state}`),
  ),
  'HLS_PLAYABLE',
  ...['RECORDING_LAYOUT', 'HLS_LAYOUT', 'LIVE_STREAM_LAYOUT'],
]
const settings = [...envExample().matchAll(/^# ([A-Z_]+)=/gm)].map(([, name]) => name!)
const known = new Set<string>([
  ...settings,
  ...errorNames,
  ...modeNames,
  ...Object.keys(leaveReasons),
  ...OTHER_VARIABLES,
  ...OUTPUT_WORDS,
])
const metrics = globSync('src/metrics/*.ts', { cwd: root }).map(read).join('')
const help = execFileSync(process.execPath, ['src/cli.ts', '--help'], { cwd: root, encoding: 'utf8' })
/** Also the first word of commands with two words. */
const commands = new Set(
  [...help.matchAll(/^ {2}([a-z][a-z-]*(?: [a-z-]+)?) {2,}\S/gm)].flatMap(([, name]) => [
    name!,
    name!.split(' ')[0]!,
  ]),
)

const FILE = /(?<![\w./-])(?:src|test|docs|bench|scripts|examples|\.ci)\/[\w./-]*\w/g
const TEST = /((?:src|test|scripts)\/[\w./-]+\.test\.(?:ts|mjs)): ([^|\n]+?)(?= *(?:<br>|\||\n|$))/g
const NAME = /(?<![\w/$-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w…])(?!_…)/g
const COMMAND = /(?:anteroom --|`anteroom) ([a-z][a-z-]+)(?: ([a-z]+)(?!\w))?/g

/** Whether a test's title begins like this, also in a table of titles. */
function hasTest(source: string, title: string): boolean {
  const plain = source.replaceAll("\\'", "'")
  return ["'", '"', '`'].some((quote) =>
    ['test(', 'describe(', 'onBoth(', '  '].some((before) => plain.includes(before + quote + title)),
  )
}

function complaints(document: string, text: string): string[] {
  const wrong: string[] = []
  const expect = (isThere: boolean, what: string): void => {
    if (!isThere) wrong.push(`${document}: ${what}`)
  }
  for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g))
    expect(existsSync(join(root, dirname(document), target!)), `no file ${target} to link to`)
  for (const [path] of text.matchAll(FILE)) expect(existsSync(join(root, path)), `no file ${path}`)
  for (const [, file, title] of text.matchAll(TEST))
    expect(existsSync(join(root, file!)) && hasTest(read(file!), title!), `no test "${title}" in ${file}`)
  for (const [name] of text.matchAll(NAME)) expect(known.has(name), `${name} is neither a setting nor a code`)
  for (const [, name] of text.matchAll(/npm run (?:-s |--silent )?([a-z][\w:-]*)/g))
    expect(Object.hasOwn(scripts, name!), `no script ${name}`)
  for (const [, name] of text.matchAll(/`((?:bench|attack|example):[\w-]+)`/g))
    expect(Object.hasOwn(scripts, name!), `no script ${name}`)
  for (const [, group, name = ''] of text.matchAll(COMMAND))
    expect(commands.has(group!) || commands.has(`${group} ${name}`), `no command ${group} ${name}`)
  for (const [name] of text.matchAll(/(?<![\w-])anteroom_(?!sign_in)[a-z_]+/g))
    expect(metrics.includes(`'${name.replace(/_bucket$/, '')}'`), `no metric ${name}`)
  return wrong
}

describe('everything that a document names exists', () => {
  for (const document of documents)
    test(document, () => assert.deepEqual(complaints(document, read(document)), []))
})

test('each decision that a comment names is recorded here', () => {
  const records = new Set(
    globSync('docs/decisions/*.md', { cwd: root }).map((path) => path.slice(0, 'docs/decisions/0001'.length)),
  )
  const wrong: string[] = []
  for (const file of globSync('{src,test,bench,scripts}/**/*.{ts,tsx,mjs}', { cwd: root })) {
    const text = read(file)
    if (/\(desig[n], /.test(text)) wrong.push(`${file}: design`)
    for (const [named] of text.matchAll(/docs\/decisions\/\d{4}/g))
      if (!records.has(named)) wrong.push(`${file}: ${named}`)
  }
  assert.deepEqual(wrong, [])
})

test('each section of the contract that a comment names is recorded here', () => {
  const pages = ['rest-and-tokens', 'signalling', 'older-clients', 'outputs'] as const
  const sections = new Set(
    pages.flatMap((page) =>
      [...read(`docs/contract/${page}.md`).matchAll(/^#+ (\d+(?:\.\d+)*) /gm)].map(
        ([, n]) => `${page} §${n}`,
      ),
    ),
  )
  const SECTIONS = String.raw`((?:,? (?:and |to )?§\d+(?:\.\d+)*)+)`
  const CITED = new RegExp(`(?:(${pages.join('|')})|contract)${SECTIONS}`, 'g')
  const wrong: string[] = []
  let cited = 0
  for (const file of globSync('{src,test,bench,scripts}/**/*.{ts,tsx,mjs}', { cwd: root })) {
    // A comment may continue on the next line.
    const text = read(file).replaceAll(/\n\s*(?:\*|\/\/) /g, ' ')
    for (const [, page = 'rest-and-tokens', named] of text.matchAll(CITED))
      for (const [section] of named!.matchAll(/§[\d.]*\d/g)) {
        cited++
        if (!sections.has(`${page} ${section}`)) wrong.push(`${file}: ${page} ${section}`)
      }
  }
  assert.deepEqual(wrong, [])
  assert.ok(cited > 50)
})

test('a missing name is found', () => {
  for (const text of [
    '[gone](docs/gone.md)',
    'test/gone.test.ts',
    'test/docs.test.ts: no such title',
    '`MAX_GONE`',
    '`npm run gone`',
    '`bench:gone`',
    '`npm run anteroom -- vanish`',
    '`anteroom_gone_total`',
  ])
    assert.notDeepEqual(complaints('README.md', text), [], text)
})

test('the log lines that docs/operating.md names are those of the program', () => {
  const source = globSync('src/**/*.ts', { cwd: root }).map(read).join('\n')
  const [, table = ''] = read('docs/operating.md').split('| `msg` | what to do |')
  const words = [...table.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, cell]) => [
    ...cell!.matchAll(/`([^`]+)`/g),
  ])
  assert.ok(words.length > 3)
  for (const [, one] of words) assert.ok(source.includes(`'${one}'`), one)
})

describe('headers', () => {
  let server: TestServer
  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  test('docs/security.md lists every header of a page as it is sent', async () => {
    const row = /^\| [\w ]+ `(\/[^`]*)` \| `([^`]+)` \| `([^`]+)` \|$/gm
    const rows = [...read('docs/security.md').matchAll(row)]
    assert.ok(rows.length > 10)
    for (const path of new Set(rows.map(([, path]) => path!))) {
      const { headers } = await fetch(server.url + path, { headers: { accept: 'text/html' } })
      const said = rows.filter(([, of]) => of === path)
      for (const [, , name, value] of said) assert.equal(headers.get(name!), value, `${path} ${name}`)
      for (const name of [
        'content-security-policy',
        'permissions-policy',
        'referrer-policy',
        'x-frame-options',
        'cache-control',
      ])
        if (headers.has(name))
          assert.ok(
            said.some(([, , one]) => one === name),
            `${path} sends ${name}`,
          )
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.ok(headers.get('x-request-id'))
    }
  })
})
