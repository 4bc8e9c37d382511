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
  const release = () => remove(lock)
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
    if (isAbandoned(lock) && removeAbandoned(lock)) continue
    if (!told) onWait()
    told = true
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

/**
 * Moved away whole and only then deleted: a folder that is emptied in its place could be replaced by another's lock
 * between the last file and the folder.
 * @param {string} lock
 */
function remove(lock) {
  const aside = `${lock}.${process.pid}.gone`
  try {
    renameSync(lock, aside)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  rmSync(aside, { recursive: true, force: true })
}

/**
 * Judged and removed by one at a time, so that nobody removes the lock of one who has just taken the place of the dead.
 * Says whether this one had its turn.
 * @param {string} lock
 */
function removeAbandoned(lock) {
  const turn = `${lock}.turn`
  try {
    mkdirSync(turn)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    // Held for an instant, unless its holder was killed in it.
    const since = statSync(turn, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - since > SILENT_MS) rmSync(turn, { recursive: true, force: true })
    return false
  }
  try {
    if (isAbandoned(lock)) remove(lock)
  } finally {
    rmSync(turn, { recursive: true, force: true })
  }
  return true
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
