// Checks the dependencies: the licence of every package in package-lock.json against a list, and the vulnerabilities
// that the registry knows. Prints its findings; exits with 1 if one is not acceptable.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Licences under which we may redistribute a package under our own, unmodified and with its text. */
const ACCEPTED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  // Its copyleft covers its own files only.
  'MPL-2.0',
  'Unlicense',
])
/** Packages that only tests load and that are not redistributed. */
const ACCEPTED_IN_TESTS = { '@videosdk.live/js-sdk': 'states none', '@fontsource/inter': 'OFL-1.1' }
const SEVERE = new Set(['high', 'critical'])
const AUDIT_TIMEOUT_MS = 60_000

/** The licence that a package states, as an SPDX expression; old packages have a list of objects. */
export function licenceOf({ license, licenses }) {
  const stated = license ?? licenses
  const names = [stated].flat().map((one) => (typeof one === 'string' ? one : one?.type))
  return names.every((name) => typeof name === 'string' && name !== '') ? names.join(' AND ') : 'states none'
}

/** One side of `A OR B` must be on the list, both sides of `A AND B`. Any other expression is refused. */
export function isAccepted(expression) {
  const plain = expression.replace(/^\((.*)\)$/, '$1')
  if (/[()]/.test(plain)) return false
  return plain
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((name) => ACCEPTED.has(name.trim())))
}

/**
 * @param packages of package-lock.json, by path
 * @param read returns the package.json of a path, for fields that the lock leaves out
 */
export function checkLicences(packages, read) {
  const counts = new Map()
  const wrong = []
  for (const [path, locked] of Object.entries(packages)) {
    if (path === '' || locked.link) continue
    // An aliased package (tests load several versions of one) keeps its own name in the lock.
    const name = locked.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const licence = licenceOf(locked.license === undefined ? read(path) : locked)
    const use = locked.dev ? 'tests and build' : 'what runs'
    const key = `${use}: ${licence}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
    const excepted = locked.dev && ACCEPTED_IN_TESTS[name] === licence
    if (!isAccepted(licence) && !excepted) wrong.push(`${name} ${locked.version}: ${licence}`)
  }
  return { counts, wrong }
}

/** Returns undefined if the text is no report, for example if the registry cannot be reached. */
export function readAudit(text) {
  let report
  try {
    report = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof report?.vulnerabilities !== 'object') return undefined
  const told = Object.values(report.vulnerabilities).map(({ name, severity, range }) => ({
    line: `${severity}: ${name} ${range}`,
    severe: SEVERE.has(severity),
  }))
  return {
    severe: told.filter(({ severe }) => severe).map(({ line }) => line),
    mild: told.filter(({ severe }) => !severe).map(({ line }) => line),
  }
}

function askRegistry(folder) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  return new Promise((resolve) => {
    execFile(
      npm,
      ['audit', '--omit=dev', '--json', '--fetch-retries=0'],
      { cwd: folder, timeout: AUDIT_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 },
      // npm exits with 1 if it has findings, too.
      (_error, text) => resolve(readAudit(text)),
    )
  })
}

async function main(folder) {
  const json = (path) => JSON.parse(readFileSync(join(folder, path), 'utf8'))
  const { counts, wrong } = checkLicences(json('package-lock.json').packages, (path) =>
    json(join(path, 'package.json')),
  )
  console.log('licences')
  for (const [key, count] of [...counts].sort()) console.log(`  ${String(count).padStart(4)}  ${key}`)
  for (const one of wrong) console.error(`  not on the list: ${one}`)

  const audit = await askRegistry(folder)
  if (!audit) {
    console.log('weaknesses\n  not checked: the registry does not answer `npm audit` here')
  } else {
    console.log(`weaknesses\n  ${audit.severe.length} high or critical, ${audit.mild.length} others`)
    for (const line of audit.mild) console.log(`  ${line}`)
    for (const line of audit.severe) console.error(`  ${line}`)
  }
  return wrong.length === 0 && !audit?.severe.length
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = (await main(fileURLToPath(new URL('..', import.meta.url)))) ? 0 : 1
}
