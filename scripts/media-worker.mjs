// Gets the media worker onto this machine: found, downloaded or built. Run by `npm ci`, and by hand at any time.
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { buildWorker, whyNoBuild } from './media-worker/build.mjs'
import { downloadWorker } from './media-worker/download.mjs'
import * as locate from './media-worker/locate.mjs'
import { withLock } from './media-worker/lock.mjs'
import { createProgress } from './media-worker/progress.mjs'
import { stopWithThisProcess } from './media-worker/run.mjs'
import { probe, tryWorker } from './media-worker/sound.mjs'

/**
 * @typedef {{ bin: string, source: 'env' | 'cache' | 'package' | 'download' | 'build' }} Worker
 * @typedef {{ bin: null, source: 'none', reason: string }} NoWorker - `reason` is a sentence with the cure
 */

const HELP = `usage: node scripts/media-worker.mjs [option]

Finds the media worker, or downloads its prebuilt form, or builds it (on Debian and Ubuntu, about 5 minutes, once).

  --require   exit with 1 when there is no worker in the end; otherwise with 0, and the server starts without media
  --no-build  do not build it, nor install the tools for that
  --check     try the worker that is there with a real DTLS-SRTP handshake; exit with 1 when it is not sound
  --path      print where the worker is, and do nothing else; exit with 1 when there is none
  --json      print the result on standard output as one line of JSON, and the progress on standard error
  --help      print this

MEDIASOUP_WORKER_BIN names a worker of your own; XDG_CACHE_HOME the folder it is kept in (~/.cache).`
const OPTIONS = ['--require', '--no-build', '--check', '--path', '--json', '--help']
const AGAIN = 'run "node scripts/media-worker.mjs" again'

const flags = new Set(process.argv.slice(2))
const unknown = [...flags].find((flag) => !OPTIONS.includes(flag))
const progress = createProgress(flags.has('--json') ? process.stderr : process.stdout)
stopWithThisProcess()

if (unknown) {
  console.error(`There is no option ${unknown}; --help lists those that there are.`)
  process.exitCode = 2
} else if (flags.has('--help')) console.log(HELP)
else if (flags.has('--path')) printPath()
else if (flags.has('--check')) await printCheck()
else await printWorker()

function printPath() {
  const found = locate.locateWorker()
  if (found && !probe(found.bin)) console.log(found.bin)
  else process.exitCode = 1
}

async function printCheck() {
  const found = locate.locateWorker()
  const { isSound, complaint } = found
    ? await tryWorker(found.bin)
    : { isSound: false, complaint: 'there is none' }
  const passed = isSound && !complaint
  const where = found ? ` (${found.source}: ${found.bin})` : ''
  progress.say(
    passed ? `media worker: sound${where}` : `media worker: not known to be sound: ${complaint}${where}`,
  )
  if (!passed) process.exitCode = 1
  if (flags.has('--json'))
    console.log(JSON.stringify({ bin: null, source: 'none', ...found, sound: passed, reason: complaint }))
}

async function printWorker() {
  const version = locate.mediasoupVersion()
  // Whatever goes wrong here, an install must not fail of it.
  const result = await obtain(version).catch((error) => none(`${error.message}; mend that and ${AGAIN}`))
  if (result.bin !== null) progress.step(`media worker: ready (${result.source}): ${result.bin}`)
  else {
    progress.say(result.reason)
    if (flags.has('--require')) process.exitCode = 1
  }
  if (flags.has('--json')) console.log(JSON.stringify({ ...result, version: version ?? null }))
}

/**
 * @param {string} reasonAndCure
 * @returns {NoWorker}
 */
function none(reasonAndCure) {
  return { bin: null, source: 'none', reason: `Media is off, all else works: ${reasonAndCure}.` }
}

/**
 * @param {string | undefined} version
 * @returns {Promise<Worker | NoWorker>}
 */
async function obtain(version) {
  const mediasoup = locate.installed('mediasoup')
  if (!mediasoup || !version) return none('the package mediasoup is not installed; run "npm ci"')
  const found = locate.locateWorker()
  const complaint = found && probe(found.bin)
  if (found && !complaint) return found
  if (found?.source === 'env') {
    return none(
      `MEDIASOUP_WORKER_BIN names ${found.bin}, which ${complaint}; correct or unset it and ${AGAIN}`,
    )
  }

  const cached = locate.cachedWorker(process.env, version)
  const place = dirname(cached)
  fs.mkdirSync(place, { recursive: true })
  for (const folder of locate.foldersOf(cached)) closeToOthers(folder)
  const notOurs = locate.whyNotOurs(locate.foldersOf(cached))
  if (notOurs) return none(`${notOurs}; remove it, or name another folder in XDG_CACHE_HOME, and ${AGAIN}`)
  const onWait = () => progress.step('media worker: another install is bringing it; waiting')
  return withLock(`${place}.lock`, onWait, async () => {
    // Whoever held the lock before may have brought it.
    if (locate.isExecutable(cached) && !locate.whyNotOurs([cached]) && !probe(cached))
      return { bin: cached, source: 'cache' }
    const noDownload = await bringDownloaded(mediasoup, cached)
    if (!noDownload) return { bin: cached, source: 'download' }
    progress.step(`media worker: ${noDownload}`)
    const noBuild = flags.has('--no-build') ? '--no-build forbids to build it' : whyNoBuild()
    if (!noBuild) return bringBuilt(mediasoup, cached)
    return none(
      `${noDownload}, and ${noBuild}; mend one of these, or name a worker in MEDIASOUP_WORKER_BIN, and ${AGAIN}`,
    )
  })
}

/**
 * Brings the prebuilt worker into the cache; where that fails, says why.
 * @param {string} mediasoup
 * @param {string} cached
 * @returns {Promise<string | undefined>}
 */
async function bringDownloaded(mediasoup, cached) {
  progress.step('media worker: looking for a prebuilt one')
  const folder = workFolder(cached, 'download')
  try {
    const { bin, reason } = await downloadWorker({ mediasoup, folder })
    if (!bin) return reason
    // It brings its own libraries, so where there is no program to try a handshake with, its makers' trials must do.
    const { isSound, complaint } = await tryWorker(bin)
    if (!isSound) return `the prebuilt media worker is not sound (${complaint})`
    keep(bin, cached)
    return undefined
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * @param {string} mediasoup
 * @param {string} cached
 * @returns {Promise<Worker | NoWorker>}
 */
async function bringBuilt(mediasoup, cached) {
  const folder = workFolder(cached, 'build')
  const log = join(folder, 'build.log')
  progress.step(
    'media worker: building it from source, which takes about 5 minutes on 2 cores, once on this machine',
  )
  try {
    const bin = await buildWorker({ mediasoup, folder, log, progress })
    progress.step('media worker: trying it with a DTLS-SRTP handshake')
    const { isSound, complaint } = await tryWorker(bin)
    if (!isSound || complaint) throw new Error(`it is not sound: ${complaint}`)
    keep(bin, cached)
    fs.rmSync(folder, { recursive: true, force: true })
    return { bin: cached, source: 'build' }
  } catch (error) {
    const { message } = /** @type {Error} */ (error)
    fs.rmSync(join(folder, 'worker'), { recursive: true, force: true })
    if (!fs.existsSync(log)) throw error
    progress.say(fs.readFileSync(log, 'utf8').trimEnd().split('\n').slice(-20).join('\n'))
    return none(`the media worker could not be built (${message}); see ${log}, mend that and ${AGAIN}`)
  }
}

/**
 * What is in the cache is run, so only its owner may write there.
 * @param {string} folder
 */
function closeToOthers(folder) {
  const { uid, mode } = fs.statSync(folder)
  if (uid === process.getuid?.() && (mode & 0o022) !== 0) fs.chmodSync(folder, 0o755)
}

/**
 * A new folder beside the cached worker's; what an interrupted run left of this kind goes.
 * @param {string} cached
 * @param {'build' | 'download'} kind
 */
function workFolder(cached, kind) {
  const place = dirname(cached)
  const prefix = `${place}-${kind}-`
  for (const name of fs.readdirSync(dirname(place))) {
    const old = join(dirname(place), name)
    if (old.startsWith(prefix)) fs.rmSync(old, { recursive: true, force: true })
  }
  const folder = `${prefix}${process.pid}`
  fs.mkdirSync(folder)
  return folder
}

/**
 * Whoever looks at `to` sees the whole worker or none.
 * @param {string} from
 * @param {string} to
 */
function keep(from, to) {
  const next = `${to}.${process.pid}`
  fs.copyFileSync(from, next)
  fs.chmodSync(next, 0o755)
  fs.renameSync(next, to)
}
