// Where a media worker may already be; looks only, does no work.
import { accessSync, constants, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const mediasoupFolder = fileURLToPath(new URL('../../node_modules/mediasoup', import.meta.url))

/** Version of the installed mediasoup package; undefined when it is not installed. */
export function mediasoupVersion(folder = mediasoupFolder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version
  } catch {
    return undefined
  }
}

/** The worker's place in the cache, for this version and platform; outside node_modules, so that it outlives an install. */
export function cachedWorker(env, version) {
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(cache, 'anteroom', `mediasoup-worker-${version}-${process.platform}-${process.arch}`, 'mediasoup-worker')
}

/**
 * The worker to use: the one that MEDIASOUP_WORKER_BIN names, else the cached one, else the one inside the package.
 * `{ bin, source: 'env' | 'cache' | 'package' }`, or undefined.
 */
export function locateWorker({ env = process.env, folder = mediasoupFolder } = {}) {
  if (env.MEDIASOUP_WORKER_BIN) return { bin: env.MEDIASOUP_WORKER_BIN, source: 'env' }
  const version = mediasoupVersion(folder)
  if (!version) return undefined
  const cached = cachedWorker(env, version)
  if (isExecutable(cached)) return { bin: cached, source: 'cache' }
  const packaged = join(folder, 'worker/out/Release/mediasoup-worker')
  if (isExecutable(packaged)) return { bin: packaged, source: 'package' }
  return undefined
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
