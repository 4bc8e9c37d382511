/** `anteroom move-check`: what to change in an app of the hosted service so that it uses this server. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { extname, join, relative } from 'node:path'
import { CommandError, exitCodes, type Command } from './arguments.ts'
import { applyEdits, examine, type Finding, type SdkUse } from './move-edits.ts'
import { generationOf } from './sdk-generations.ts'

/** May hold calls of the web SDKs. */
const WEB = new Set('.js .jsx .ts .tsx .mjs .cjs .mts .cts .vue .svelte .html .htm'.split(' '))
/** May hold addresses. */
const OTHER = new Set('.php .py .rb .go .java .kt .swift .dart .cs .yml .yaml .toml .json'.split(' '))
/** Made or brought by tools: nobody changes these by hand. */
const PASSED_OVER = new Set([
  'node_modules',
  '.git',
  'dist',
  'build',
  '.next',
  'vendor',
  'Pods',
  '.dart_tool',
  'target',
])
const LOCK_FILE = /^(package-lock\.json|npm-shrinkwrap\.json|composer\.lock)$/
/** Bundles and data; sources of people are smaller. */
const MAX_FILE_BYTES = 1024 * 1024
const MAX_FILES = 20_000
const HOST = /^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:\/[\w./-]*)?$/i

interface Checked {
  file: string
  findings: Finding[]
}

export const moveCheck: Command = {
  name: 'move-check',
  positionals: ['folder'],
  summary: "what to change in an app's sources so that it uses this server",
  details:
    'Reads the sources and changes nothing, unless told with --write. Exit code 0 when nothing is left to change, 1 when something is.',
  options: {
    server: {
      value: 'host',
      help: "where the server is, with its HTTPS port if it isn't 443; default localhost:9443",
    },
    write: { help: 'make the changes that need no decision' },
  },
  run: async ({ positionals: [folder = ''], values }) => {
    const server =
      typeof values.server === 'string' ? values.server.replace(/^https:\/\//, '') : 'localhost:9443'
    if (!HOST.test(server))
      throw new CommandError(
        '--server takes a host, as in meet.example.org or localhost:9443.',
        exitCodes.usage,
      )
    const there = await stat(folder).catch(() => undefined)
    if (!there?.isDirectory()) throw new CommandError(`${folder} is not a folder.`, exitCodes.usage)
    const sdks: (SdkUse & { file: string })[] = []
    const checked: Checked[] = []
    const absent: { file: string; line: number; call: string }[] = []
    let written = 0
    for (const path of await sources(folder)) {
      const text = await readFile(path, 'utf8')
      const file = relative(folder, path)
      const report = examine(text, server, WEB.has(extname(path)))
      sdks.push(...report.sdks.map((sdk) => ({ file, ...sdk })))
      absent.push(...report.absent.map((call) => ({ file, ...call })))
      if (report.findings.length === 0) continue
      if (values.write === true) {
        const changed = applyEdits(text, report.findings)
        if (changed !== text) await writeFile(path, changed)
        written += report.findings.filter(({ edit }) => edit).length
        report.findings = report.findings.filter(({ edit }) => !edit)
      }
      if (report.findings.length > 0) checked.push({ file, findings: report.findings })
    }
    const versions = expectations(sdks)
    const left = checked.reduce((sum, { findings }) => sum + findings.length, 0)
    return {
      json: {
        server,
        sdks: versions,
        changes: checked.flatMap(({ file, findings }) =>
          findings.map(({ line, text, advice }) => ({ file, line, text, advice })),
        ),
        written,
        absent,
      },
      text: describe(server, versions, checked, { left, written, absent }),
      exitCode: left > 0 || versions.some(({ works }) => works === false) ? exitCodes.failed : exitCodes.ok,
    }
  },
}

interface Expectation {
  file: string
  line: number
  sdk: string
  version: string
  works: boolean | null
  expect: string
}

function expectations(sdks: readonly (SdkUse & { file: string })[]): Expectation[] {
  return sdks.map(({ file, line, sdk, version }) => {
    const place = { file, line, sdk, version }
    if (sdk === 'js-sdk' || sdk === 'react-sdk') {
      const generation = generationOf(sdk, version)
      if (generation) return { ...place, works: generation.works, expect: generation.expect }
      return {
        ...place,
        works: null,
        expect: 'No version is named here; docs/moving-from-videosdk.md lists them all.',
      }
    }
    if (sdk === 'server-sdk')
      return { ...place, works: true, expect: 'Takes apiEndpoint, with https:// and the host.' }
    return { ...place, works: null, expect: 'Not tried with this server.' }
  })
}

function describe(
  server: string,
  versions: readonly Expectation[],
  checked: readonly Checked[],
  {
    left,
    written,
    absent,
  }: { left: number; written: number; absent: { file: string; line: number; call: string }[] },
): string {
  const text: string[] = []
  if (versions.length === 0) text.push('No SDK of the hosted service is named in this folder.', '')
  for (const { file, line, sdk, version, expect } of versions)
    text.push(`${sdk} ${version} (${file}:${line})`, `    ${expect}`, '')
  for (const { file, findings } of checked)
    for (const { line, text: found, advice } of findings)
      text.push(`${file}:${line}`, `    ${found}`, `    → ${advice}`, '')
  if (absent.length > 0) {
    text.push('Refused with 4021, because the server has no such service:')
    for (const { file, line, call } of absent) text.push(`    ${call}  ${file}:${line}`)
    text.push('')
  }
  if (written > 0) text.push(`${written} ${written === 1 ? 'change was' : 'changes were'} made.`)
  text.push(
    left > 0
      ? `${left} ${left === 1 ? 'place is' : 'places are'} left to change.`
      : 'Nothing is left to change.',
    `Browsers must trust the certificate of https://${server}; for a program in Node with a self-signed one set NODE_EXTRA_CA_CERTS.`,
  )
  return text.join('\n')
}

async function sources(folder: string): Promise<string[]> {
  const found: string[] = []
  const visit = async (path: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const inner = join(path, entry.name)
      if (entry.isDirectory()) {
        if (!PASSED_OVER.has(entry.name)) await visit(inner)
      } else if (entry.isFile() && isSource(entry.name) && (await stat(inner)).size <= MAX_FILE_BYTES) {
        found.push(inner)
        if (found.length > MAX_FILES)
          throw new CommandError(`There are more than ${MAX_FILES} source files here; name a smaller folder.`)
      }
    }
  }
  await visit(folder)
  return found
}

function isSource(name: string): boolean {
  return (
    ((WEB.has(extname(name)) || OTHER.has(extname(name))) &&
      !LOCK_FILE.test(name) &&
      !name.endsWith('.min.js')) ||
    name.startsWith('.env')
  )
}
