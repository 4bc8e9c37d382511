// Provides a working media worker: from a cache, by download, or by a build.
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { Lacking, buildWorker, whyNoBuild } from './build.mjs'
import { downloadWorker } from './download.mjs'
import * as locate from './locate.mjs'
import { Busy, readTold, withLock } from './lock.mjs'
import { shared } from './progress.mjs'
import { probe, tryWorker } from './sound.mjs'

/**
 * @typedef {{ bin: string, source: 'env' | 'cache' | 'package' | 'download' | 'build' }} Worker
 * @typedef {{ bin: null, source: 'none', reason: string, passing: boolean }} NoWorker
 *  `reason` is a sentence with the cure; `passing`: another attempt may succeed without a change of the program
 * @typedef {import('./progress.mjs').Progress} Progress
 */

const INSTALL_PATIENCE_MS = 5_000

/**
 * @param {{ progress: Progress, again: string, build: boolean, rebuild?: boolean }} options
 *  `again` ends a sentence about a cure; without `build`, only a download is tried
 * @returns {Promise<Worker | NoWorker>}
 */
export async function obtainWorker({ progress, again, build, rebuild = false }) {
  const mediasoup = locate.installed('mediasoup')
  const version = locate.mediasoupVersion()
  if (!mediasoup || !version) return none('the package mediasoup is not installed; run "npm ci"')
  const found = locate.locateWorker()
  const complaint = found && probe(found.bin)
  if (found && !complaint && !rebuild) return found
  if (found?.source === 'env') {
    return none(
      `MEDIASOUP_WORKER_BIN names ${found.bin}, which ${complaint ?? 'is not ours to build'}; correct or unset it and ${again}`,
      false,
    )
  }

  const { cached, problems } = placeFor(version)
  if (cached === undefined) return none(`${problems.join(', and ')}; mend that and ${again}`)
  if (problems.length > 0)
    progress.say(`media worker: kept in ${dirname(cached)}, as ${problems.join(', and ')}`)
  let waits = false
  const onWait = (/** @type {import('./lock.mjs').Told | undefined} */ told) => {
    if (!waits) progress.step('media worker: another process is bringing it; waiting')
    waits = true
    if (told) progress.told(told)
  }
  const patienceMs = build ? undefined : INSTALL_PATIENCE_MS
  return withLock(lockOf(cached), { onWait, patienceMs }, async (tell) => {
    // The previous holder of the lock may have provided it.
    if (!rebuild && locate.isExecutable(cached) && !locate.whyNotOurs([cached]) && !probe(cached))
      return /** @type {Worker} */ ({ bin: cached, source: 'cache' })
    const told = shared(progress, tell)
    const noDownload = rebuild ? 'a build is asked for' : await bringDownloaded(mediasoup, cached, told)
    if (!noDownload) return /** @type {Worker} */ ({ bin: cached, source: 'download' })
    if (!rebuild) told.step(`media worker: ${noDownload}`)
    const noBuild = whyNoBuild()
    if (noBuild) {
      return none(
        `${noDownload}, and ${noBuild}; mend one of these, or name a worker in MEDIASOUP_WORKER_BIN, and ${again}`,
      )
    }
    return build ? bringBuilt(mediasoup, cached, told, again) : later()
  }).catch((error) => {
    if (error instanceof Busy)
      return later('another process is bringing it; the server waits for that when it starts')
    throw error
  })
}

/** The progress of another process that provides the worker now; undefined if there is none. */
export function preparingElsewhere(env = process.env) {
  const version = locate.mediasoupVersion()
  if (!version) return undefined
  for (const folder of locate.cacheFolders(env)) {
    const told = readTold(lockOf(locate.workerIn(folder, version)))
    if (told) return told
  }
  return undefined
}

/** @param {string} cached */
function lockOf(cached) {
  return `${dirname(cached)}.lock`
}

/**
 * @param {string} reasonAndCure
 * @param {boolean} [passing]
 * @returns {NoWorker}
 */
export function none(reasonAndCure, passing = true) {
  return { bin: null, source: 'none', reason: `Media is off, all else works: ${reasonAndCure}.`, passing }
}

/** @returns {NoWorker} */
function later(
  what = 'the server builds it when it starts, in about 5 minutes, and does all else meanwhile; "npm run worker" builds it now',
) {
  return { bin: null, source: 'none', reason: `media worker: ${what}`, passing: true }
}

/**
 * The place for the worker: the first folder that we can write and others cannot.
 * @param {string} version
 */
function placeFor(version) {
  const problems = []
  for (const folder of locate.cacheFolders(process.env)) {
    const cached = locate.workerIn(folder, version)
    try {
      fs.mkdirSync(dirname(cached), { recursive: true })
      for (const part of locate.foldersOf(cached)) {
        closeToOthers(part)
        fs.accessSync(part, fs.constants.W_OK | fs.constants.X_OK)
      }
      const notOurs = locate.whyNotOurs(locate.foldersOf(cached))
      if (!notOurs) return { cached, problems }
      problems.push(notOurs)
    } catch (error) {
      const { code, message } = /** @type {NodeJS.ErrnoException} */ (error)
      problems.push(`${folder} cannot be written (${code ?? message})`)
    }
  }
  return { cached: undefined, problems }
}

/**
 * Puts the prebuilt worker into the cache; returns the reason if that fails.
 * @param {string} mediasoup
 * @param {string} cached
 * @param {Progress} progress
 * @returns {Promise<string | undefined>}
 */
async function bringDownloaded(mediasoup, cached, progress) {
  progress.step('media worker: looking for a prebuilt one')
  const folder = workFolder(cached, 'download')
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder)
  try {
    const { bin, reason } = await downloadWorker({ mediasoup, folder })
    if (!bin) return reason
    // The prebuilt worker contains its libraries, so its maker's tests are enough if no handshake can be tried here.
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
 * @param {Progress} progress
 * @param {string} again
 * @returns {Promise<Worker | NoWorker>}
 */
async function bringBuilt(mediasoup, cached, progress, again) {
  const folder = workFolder(cached, 'build')
  const log = join(folder, 'build.log')
  const start = { at: Date.now(), processor: childSeconds() }
  progress.step('media worker: building it from source, once on this machine')
  try {
    fs.mkdirSync(folder, { recursive: true })
    const bin = await buildWorker({ mediasoup, folder, log, progress })
    const spent = childSeconds() - start.processor
    progress.step('media worker: trying it with a DTLS-SRTP handshake')
    const { isSound, complaint } = await tryWorker(bin)
    if (!isSound || complaint) throw new Error(`it is not sound: ${complaint}`)
    keep(bin, cached)
    fs.rmSync(folder, { recursive: true, force: true })
    const seconds = Math.round((Date.now() - start.at) / 1000)
    progress.say(
      `media worker: built in ${seconds} s${Number.isNaN(spent) ? '' : `, with ${Math.round(spent)} s of processor`}`,
    )
    return { bin: cached, source: 'build' }
  } catch (error) {
    const { message } = /** @type {Error} */ (error)
    if (error instanceof Lacking) {
      fs.rmSync(folder, { recursive: true, force: true })
      return none(`${message}; make room and ${again}`)
    }
    // The next build starts over: the current files may be the cause.
    for (const name of ['stamp', 'apart', 'worker'])
      fs.rmSync(join(folder, name), { recursive: true, force: true })
    if (!fs.existsSync(log)) throw error
    progress.say(fs.readFileSync(log, 'utf8').trimEnd().split('\n').slice(-20).join('\n'))
    return none(
      `the media worker could not be built (${message}); see ${log}, mend that and run "npm run worker"`,
      false,
    )
  }
}

/** The processor time of all ended child processes, in seconds; NaN if the system does not report it. */
function childSeconds() {
  try {
    const stat = fs.readFileSync('/proc/self/stat', 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // In the kernel's clock ticks, 100 per second on every Linux that Node supports.
    return (Number(fields[13]) + Number(fields[14])) / 100
  } catch {
    return NaN
  }
}

/**
 * Only the owner may write to the cache, because its content is executed.
 * @param {string} folder
 */
function closeToOthers(folder) {
  const { uid, mode } = fs.statSync(folder)
  if (uid === process.getuid?.() && (mode & 0o022) !== 0) fs.chmodSync(folder, 0o755)
}

/**
 * The folder to work in, next to the cached worker's folder. It is always the same: the lock keeps others out, and a
 * build continues where it stopped.
 * @param {string} cached
 * @param {'build' | 'download'} kind
 */
function workFolder(cached, kind) {
  return `${dirname(cached)}-${kind}`
}

/**
 * Puts the worker in place atomically.
 * @param {string} from
 * @param {string} to
 */
function keep(from, to) {
  const next = `${to}.next`
  fs.rmSync(next, { force: true })
  fs.copyFileSync(from, next)
  fs.chmodSync(next, 0o755)
  fs.renameSync(next, to)
}
