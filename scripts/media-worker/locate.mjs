// Looks for an existing media worker; changes nothing.
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const WORKER_NAME = process.platform === 'win32' ? 'mediasoup-worker.exe' : 'mediasoup-worker'

/**
 * Resolves a path under node_modules as Node does: this package may be installed in another package's node_modules.
 * @param {string} path
 */
export function installed(path) {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', path)
    if (existsSync(candidate)) return candidate
    if (folder === dirname(folder)) return undefined
  }
}

/**
 * Version of the installed mediasoup package; undefined when it is not installed.
 * @param {string | undefined} [folder]
 * @returns {string | undefined}
 */
export function mediasoupVersion(folder = installed('mediasoup')) {
  try {
    return folder && JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version
  } catch {
    return undefined
  }
}

const project = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The folders in which a worker may be kept, outside node_modules so that it survives an install; the first writable
 * one is used. A service's user often has no home, and a project may be installed where its user cannot write.
 * @param {NodeJS.ProcessEnv} env
 */
export function cacheFolders(env) {
  const named = env.XDG_CACHE_HOME ?? ''
  // The XDG specification: ignore a relative path.
  const user = isAbsolute(named) ? named : userCache()
  return [
    ...(user === undefined ? [] : [join(user, 'anteroom')]),
    join(project, '.cache'),
    ...(env.DATA_DIR ? [join(resolve(env.DATA_DIR), 'cache')] : []),
  ]
}

function userCache() {
  try {
    return join(homedir(), '.cache')
  } catch {
    // The system's list of users has no entry for this user.
    return undefined
  }
}

/**
 * The path of a worker in one of those folders, for this version and platform.
 * @param {string} folder
 * @param {string} version
 */
export function workerIn(folder, version) {
  const libc = isMusl() ? '-musl' : ''
  return join(folder, `mediasoup-worker-${version}-${process.platform}-${process.arch}${libc}`, WORKER_NAME)
}

function isMusl() {
  if (process.platform !== 'linux') return false
  // Otherwise Node resolves the host names of all open connections for the report.
  process.report.excludeNetwork = true
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return report.header.glibcVersionRuntime === undefined
}

/**
 * The worker to use: the one that MEDIASOUP_WORKER_BIN names, else the cached one, else the one inside the package.
 * @param {{ env?: NodeJS.ProcessEnv, folder?: string | undefined, version?: string | undefined }} [options]
 *   `folder` is the mediasoup package's, `version` the version it is in
 * @returns {{ bin: string, source: 'env' | 'cache' | 'package' } | undefined}
 */
export function locateWorker({
  env = process.env,
  folder = installed('mediasoup'),
  version = mediasoupVersion(folder),
} = {}) {
  if (env.MEDIASOUP_WORKER_BIN) return { bin: env.MEDIASOUP_WORKER_BIN, source: 'env' }
  if (!version) return undefined
  for (const cache of cacheFolders(env)) {
    const cached = workerIn(cache, version)
    if (isExecutable(cached) && !whyNotOurs([...foldersOf(cached), cached]))
      return { bin: cached, source: 'cache' }
  }
  const packaged = folder && join(folder, 'worker/out/Release', WORKER_NAME)
  if (packaged && isExecutable(packaged)) return { bin: packaged, source: 'package' }
  return undefined
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Returns why others can write to one of these paths, as the end of a sentence; undefined if only this user and root
 * can.
 * @param {string[]} paths
 */
export function whyNotOurs(paths) {
  const own = process.getuid?.()
  if (own === undefined) return undefined
  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found) continue
    if (found.uid !== own && found.uid !== 0) return `${path} belongs to another user`
    if ((found.mode & 0o022) !== 0) return `${path} can be written by others`
  }
  return undefined
}

/**
 * The folders of the cache that only we use, outermost first.
 * @param {string} cached
 */
export function foldersOf(cached) {
  return [dirname(dirname(cached)), dirname(cached)]
}
