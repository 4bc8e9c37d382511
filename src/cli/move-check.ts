/** `anteroom move-check`: finds what to change in an app of the hosted service so that it uses this server. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { extname, join, relative } from 'node:path'
import { CommandError, exitCodes, type Command } from './arguments.ts'
import { applyEdits, examine, type Finding, type SdkUse } from './move-edits.ts'
import { generationOf } from './sdk-generations.ts'

/** Files that may contain calls of the web SDKs. */
const WEB = new Set('.js .jsx .ts .tsx .mjs .cjs .mts .cts .vue .svelte .html .htm'.split(' '))
/** Files that may contain addresses. */
const OTHER = new Set('.php .py .rb .go .java .kt .swift .dart .cs .yml .yaml .toml .json'.split(' '))
/** Folders of generated or installed files, which nobody edits by hand. */
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
/** Larger files are bundles and data, not sources. */
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
  summary: "finds what to change in an app's sources so that it uses this server",
  details:
    'Reads the sources; changes them only with --write. Exit code 0 if nothing is left to change, else 1.',
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
        '--server must be a host, as in meet.example.org or localhost:9443.',
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
        expect: 'No version is given; docs/moving-from-videosdk.md lists them all.',
      }
    }
    if (sdk === 'server-sdk')
      return { ...place, works: true, expect: 'Accepts apiEndpoint, with https:// and the host.' }
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
  if (versions.length === 0) text.push('No file in this folder names an SDK of the hosted service.', '')
  for (const { file, line, sdk, version, expect } of versions)
    text.push(`${sdk} ${version} (${file}:${line})`, `    ${expect}`, '')
  for (const { file, findings } of checked)
    for (const { line, text: found, advice } of findings)
      text.push(`${file}:${line}`, `    ${found}`, `    → ${advice}`, '')
  if (absent.length > 0) {
    text.push('Refused with 4021, because the server does not offer the service:')
    for (const { file, line, call } of absent) text.push(`    ${call}  ${file}:${line}`)
    text.push('')
  }
  if (written > 0) text.push(`${written} ${written === 1 ? 'change was' : 'changes were'} made.`)
  text.push(
    left > 0
      ? `${left} ${left === 1 ? 'place is' : 'places are'} left to change.`
      : 'Nothing is left to change.',
    `Browsers must trust the certificate of https://${server}; for a Node program and a self-signed certificate, set NODE_EXTRA_CA_CERTS.`,
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
          throw new CommandError(`The folder has more than ${MAX_FILES} source files; choose a smaller one.`)
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
