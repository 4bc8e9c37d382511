// Builds the worker from the sources in the mediasoup package, against the distribution's libraries.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, freemem } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WORKER_NAME } from './locate.mjs'
import { run } from './run.mjs'
import { uniteSources } from './unity.mjs'

const PACKAGES = [
  'g++',
  'pkg-config',
  'meson',
  'ninja-build',
  'binutils',
  'openssl',
  'libssl-dev',
  'libuv1-dev',
  'libsrtp2-dev',
  'libabsl-dev',
  'libflatbuffers-dev',
  'flatbuffers-compiler',
]
/** @type {Record<string, string>} */
const SYSTEMS = { darwin: 'macOS', win32: 'Windows' }
/**
 * Older releases lack OpenSSL 3, or a flatbuffers compiler that knows all features of the schemas.
 * @type {Record<string, number>}
 */
const OLDEST = { debian: 12, ubuntu: 24 }
const APT_TIMEOUT_MS = 10 * 60_000
const MESON_OPTIONS = ['--wrap-mode', 'nodownload', '--buildtype', 'release', '-Db_ndebug=true']
/** The memory of one compiler, a generous upper bound. */
const BYTES_PER_JOB = 700 * 2 ** 20
/** The disk space for the copy of the sources and the build. */
const BYTES_TO_BUILD = 200 * 2 ** 20
const DISK_FULL = /No space left on device|ENOSPC/
const subprojects = fileURLToPath(new URL('./meson', import.meta.url))
/** A file that names the sources of a copy; written when the copy is complete. */
const STAMP = 'stamp'

/** A file that marks sources which do not compile when they are combined. */
const APART = 'apart'

/** The build failed before it compiled anything, for example because the tools are missing. */
class Toolless extends Error {}

/** The build failed because of a lack (of memory, disk, …) that may pass: the same sources may build later. */
export class Lacking extends Error {}

/**
 * Returns why this machine cannot build, as the end of a sentence; undefined if it can.
 * @param {{ platform?: string, osRelease?: string }} [machine]
 */
export function whyNoBuild({ platform = process.platform, osRelease = readOsRelease() } = {}) {
  const system = platform === 'linux' ? field(osRelease, 'PRETTY_NAME') : SYSTEMS[platform]
  const [id = '', family = '', version] = ['ID', 'ID_LIKE', 'VERSION_ID'].map((name) =>
    field(osRelease, name),
  )
  const isOfFamily = platform === 'linux' && /\b(debian|ubuntu)\b/.test(`${id} ${family}`)
  if (!isOfFamily || Number(version) < OLDEST[id]) {
    return `it is built from source on Debian 12, Ubuntu 24.04 and newer only, and this is ${system ?? platform}`
  }
  if (!hasPackages() && !asRoot()) {
    return `the tools to build it are missing and only root can install them (sudo apt-get install ${PACKAGES.join(' ')})`
  }
  return undefined
}

function readOsRelease() {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
}

/**
 * @param {string} osRelease
 * @param {string} name
 */
function field(osRelease, name) {
  return new RegExp(`^${name}="?([^"\\n]*)`, 'm').exec(osRelease)?.[1]
}

function hasPackages() {
  const query = ['-W', '-f', '${db:Status-Status}\\n', ...PACKAGES]
  const { status, stdout } = spawnSync('dpkg-query', query, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  if (status !== 0) return false
  return stdout.split('\n').every((state) => state === '' || state === 'installed')
}

/** The prefix that makes root run a command; undefined if there is no way. */
function asRoot() {
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}

/**
 * Builds in `folder`, from where an interrupted build of the same sources stopped, and returns the path of the stripped worker.
 * Throws an error of one sentence.
 * @param {{
 *   mediasoup: string,
 *   folder: string,
 *   log: string,
 *   progress: { step(text: string): void, count(text: string, done: number, total: number): void },
 * }} options - `mediasoup` is the package's folder; `log` the file that takes all that the tools say
 */
export async function buildWorker(options) {
  const { folder, progress } = options
  endLeftovers(folder)
  if (existsSync(join(folder, APART))) return build(options, false)
  try {
    return await build(options, true)
  } catch (error) {
    if (error instanceof Lacking || error instanceof Toolless) throw error
    // With another version of mediasoup, some sources may not compile when combined.
    progress.step('media worker: its sources do not compile together; compiling each by itself')
    writeFileSync(join(folder, APART), '')
    return build(options, false)
  }
}

/**
 * @param {Parameters<typeof buildWorker>[0]} options
 * @param {boolean} unites - whether sources are combined before they are compiled, which takes a quarter of the time
 */
async function build({ mediasoup, folder, log, progress }, unites) {
  const source = join(folder, 'worker')
  const stamp = join(folder, STAMP)
  let isDiskFull = false
  const note = (/** @type {string} */ text) => {
    isDiskFull ||= DISK_FULL.test(text)
    try {
      appendFileSync(log, text)
    } catch {
      // If the disk is full, the tools report it themselves and end.
    }
  }
  /**
   * @param {string} command
   * @param {string[]} args
   * @param {Parameters<typeof run>[2]} [options]
   */
  const tool = async (command, args, options) => {
    note(`\n$ ${[command, ...args].join(' ')}\n`)
    const onOutput = (/** @type {string} */ text) => {
      note(text)
      options?.onOutput?.(text)
    }
    const { status, timedOut, error } = await run(command, args, { cwd: source, ...options, onOutput })
    if (isDiskFull) throw new Lacking(`the disk of ${folder} is full`)
    if (status !== 0)
      throw new Error(`"${command} ${args[0]}" ${timedOut ? 'did not end' : error || `ended with ${status}`}`)
  }

  if (!hasPackages())
    await installPackages(tool, progress).catch((error) => {
      throw error instanceof Lacking ? error : new Toolless(error.message)
    })
  const wanted = `${stampOf(mediasoup)} ${unites}`
  const goesOn = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (!goesOn) {
    progress.step('media worker: preparing the sources')
    for (const old of [stamp, source]) rmSync(old, { recursive: true, force: true })
    assertRoom(folder)
    const mesonVersion = execFileSync('meson', ['--version'], { encoding: 'utf8' }).trim()
    try {
      prepareSources({ mediasoup, source, mesonVersion })
      if (unites) {
        uniteSources(join(source, 'meson.build'), 'common_sources')
        uniteSources(join(source, 'deps/libwebrtc/meson.build'), 'libwebrtc_sources')
      }
    } catch (error) {
      throw DISK_FULL.test(String(error)) ? new Lacking(`the disk of ${folder} is full`) : error
    }
    await tool('meson', ['setup', 'build', ...MESON_OPTIONS]).catch((error) => {
      throw error instanceof Lacking ? error : new Toolless(error.message)
    })
    writeFileSync(stamp, wanted)
  } else progress.step('media worker: going on with the build that was interrupted')
  // In some versions of mediasoup, the other sources do not depend on these headers, so they may compile too early.
  await tool('meson', ['compile', '-C', 'build', 'flatbuffers-generator'])
  await tool('ninja', ['-C', 'build', '-j', String(jobs()), WORKER_NAME], {
    onOutput: (text) => {
      const last = [...text.matchAll(/^\[(\d+)\/(\d+)\]/gm)].at(-1)
      if (last) progress.count('building the media worker', Number(last[1]), Number(last[2]))
    },
  })
  const built = join(source, 'build', WORKER_NAME)
  await tool('strip', [built])
  return built
}

/** @param {string} folder */
function assertRoom(folder) {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize >= BYTES_TO_BUILD) return
  const mega = (/** @type {number} */ bytes) => Math.floor(bytes / 2 ** 20)
  throw new Lacking(
    `building it needs ${mega(BYTES_TO_BUILD)} MB in ${folder}, and ${mega(bavail * bsize)} MB are free there`,
  )
}

/**
 * Identifies the sources and the way they are built.
 * @param {string} mediasoup
 */
function stampOf(mediasoup) {
  const hash = createHash('sha256').update(readFileSync(join(mediasoup, 'package.json')))
  for (const script of ['build.mjs', 'unity.mjs']) hash.update(readFileSync(new URL(script, import.meta.url)))
  const names = /** @type {string[]} */ (readdirSync(subprojects, { recursive: true })).sort()
  for (const name of names) {
    const file = join(subprojects, name)
    if (statSync(file).isFile()) hash.update(name).update(readFileSync(file))
  }
  return hash.digest('hex')
}

/**
 * Ends the compilers of a killed build that still run in this folder.
 * @param {string} folder
 */
function endLeftovers(folder) {
  const pids = existsSync('/proc/self/cwd') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : []
  for (const pid of pids) {
    try {
      if (`${readlinkSync(`/proc/${pid}/cwd`)}${sep}`.startsWith(`${folder}${sep}worker${sep}`))
        process.kill(Number(pid), 'SIGKILL')
    } catch {
      // The process belongs to another user or has ended.
    }
  }
}

/**
 * @param {(command: string, args: string[], options?: Parameters<typeof run>[2]) => Promise<void>} tool
 * @param {{ step(text: string): void }} progress
 */
async function installPackages(tool, progress) {
  const prefix = [...(asRoot() ?? []), 'env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_SUSPEND=1']
  const waiting = [
    '-o',
    'DPkg::Lock::Timeout=120',
    '-o',
    'Acquire::Retries=1',
    '-o',
    'Acquire::http::Timeout=20',
  ]
  const apt = (/** @type {string[]} */ ...args) => {
    const [command, ...rest] = [...prefix, 'apt-get', ...waiting, ...args]
    return tool(command, rest, { cwd: '/', timeoutMs: APT_TIMEOUT_MS })
  }
  const install = () => apt('install', '-y', '--no-install-recommends', '--no-remove', ...PACKAGES)

  progress.step('media worker: installing the tools to build it (apt-get)')
  // The package lists are usually current, and refreshing them takes longer than the install.
  await install().catch(async () => {
    await apt('update')
    await install()
  })
}

/**
 * Makes `source` a copy of the worker's sources that uses the distribution's libraries.
 * @param {{ mediasoup: string, source: string, mesonVersion: string }} options
 */
export function prepareSources({ mediasoup, source, mesonVersion }) {
  cpSync(join(mediasoup, 'worker'), source, { recursive: true })
  const bundled = join(source, 'subprojects')
  for (const name of readdirSync(bundled)) {
    if (name.endsWith('.wrap')) rmSync(join(bundled, name))
  }
  cpSync(subprojects, bundled, { recursive: true })

  // It requires a newer Meson than it needs.
  edit(join(source, 'meson.build'), /(?<=meson_version: '>= )[\d.]+/, (wanted) =>
    isOlder(mesonVersion, wanted) ? mesonVersion : wanted,
  )
  // The operation is a bit mask. Compared as a whole, the callback answers 1 to every control call; an OpenSSL with
  // kernel TLS then takes it to be on, and the worker dies at the first DTLS handshake.
  edit(
    join(source, 'src/RTC/DtlsTransport.cpp'),
    /operationType (==|&) BIO_CB_RETURN/,
    () => 'operationType & BIO_CB_RETURN',
  )
}

/**
 * @param {string} file
 * @param {RegExp} pattern
 * @param {(found: string) => string} replacement
 */
function edit(file, pattern, replacement) {
  const text = readFileSync(file, 'utf8')
  if (!pattern.test(text)) throw new Error(`${file} is not as expected: it lacks ${pattern}`)
  writeFileSync(file, text.replace(pattern, replacement))
}

/**
 * @param {string} version
 * @param {string} other
 */
function isOlder(version, other) {
  return version.localeCompare(other, 'en', { numeric: true }) < 0
}

function jobs() {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / BYTES_PER_JOB)))
}
