// One install at a time brings the worker; the others wait for it.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const BEAT_MS = 5_000
/** A holder that has not been heard of for so long is gone, whatever process has its number now. */
const SILENT_MS = 60_000

/**
 * @template T
 * @param {string} lock - a folder that exists while somebody works
 * @param {() => void} onWait
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(lock, onWait, work) {
  await take(lock, onWait)
  const release = () => rmSync(lock, { recursive: true, force: true })
  const beat = setInterval(() => showLife(lock), BEAT_MS)
  process.once('exit', release)
  try {
    return await work()
  } finally {
    clearInterval(beat)
    process.off('exit', release)
    release()
  }
}

/**
 * @param {string} lock
 * @param {() => void} onWait
 */
async function take(lock, onWait) {
  const prepared = `${lock}.${process.pid}`
  mkdirSync(prepared, { recursive: true })
  writeFileSync(join(prepared, 'pid'), String(process.pid))
  for (let told = false; ;) {
    try {
      // Moved into place whole, so that a lock always names its holder; a folder that is not empty cannot be replaced.
      renameSync(prepared, lock)
      return
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(codeOf(error))) throw error
    }
    if (isAbandoned(lock)) {
      rmSync(lock, { recursive: true, force: true })
      continue
    }
    if (!told) onWait()
    told = true
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

/** @param {string} lock */
function showLife(lock) {
  try {
    utimesSync(join(lock, 'pid'), new Date(), new Date())
  } catch {
    // Taken over after a long sleep of the machine: then two work, and the worker is put in place whole by each.
  }
}

/** @param {string} lock */
function isAbandoned(lock) {
  const holder = join(lock, 'pid')
  try {
    process.kill(Number(readFileSync(holder, 'utf8')), 0)
    return Date.now() - statSync(holder).mtimeMs > SILENT_MS
  } catch (error) {
    return codeOf(error) === 'ESRCH'
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code ?? ''
}
