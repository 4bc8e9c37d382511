// Checks the package as npm would publish it: its entry points (publint) and its types (Are The Types Wrong).
// `npm run check:package` packs this folder first; `node scripts/package.mjs <file.tgz>` checks what was packed.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

/**
 * The package contains ES modules for Node 24, whose `require()` loads them; resolvers older than `exports` are not
 * supported.
 */
const NOT_OURS = ['node10', 'node16-cjs']

/**
 * Returns the problems that publint and attw find in a tarball, one per line.
 * @param {string} tarball
 * @returns {Promise<string[]>}
 */
export async function complaintsAbout(tarball) {
  // A copy with its own buffer, because publint reads the whole ArrayBuffer.
  const bytes = new Uint8Array(readFileSync(tarball))
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true })
  const { problems } = await checkPackage(createPackageFromTarballData(bytes))
  return [
    ...messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`),
    ...problems
      .filter(({ resolutionKind }) => !NOT_OURS.includes(resolutionKind))
      .map((problem) => `attw: ${JSON.stringify(problem)}`),
  ]
}

/**
 * Packs a folder of sources and returns the path of the tarball.
 * @param {string} folder
 * @param {string} destination
 * @returns {string}
 */
export function pack(folder, destination) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const said = execFileSync(npm, ['pack', '--json', '--silent', '--pack-destination', destination], {
    cwd: folder,
    encoding: 'utf8',
  })
  const [{ filename }] = JSON.parse(said)
  return join(destination, filename)
}

async function main(given) {
  const scratch = mkdtempSync(join(tmpdir(), 'anteroom-package-'))
  try {
    const complaints = await complaintsAbout(given ?? pack(join(import.meta.dirname, '..'), scratch))
    for (const complaint of complaints) console.error(complaint)
    if (complaints.length > 0) process.exitCode = 1
    else console.log('The package is sound: publint and attw find nothing.')
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv[2])
