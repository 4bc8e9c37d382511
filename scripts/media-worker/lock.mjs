// One process at a time brings the worker; the others wait for it, and hear how far it is.
import {
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

const BEAT_MS = 5_000
const LOOK_MS = 1_000
/** A holder of another machine or container that has not been heard of for so long is gone. */
const SILENT_MS = 60_000

/** @typedef {{ step: string, done: number, total: number, secondsLeft: number | null }} Told - how far the work is */

/** Another process holds the lock for longer than this one would wait. */
export class Busy extends Error {}

/**
 * @template T
 * @param {string} lock - a folder that exists while somebody works
 * @param {{ onWait: (told: Told | undefined) => void, patienceMs?: number | undefined }} waiting
 *   `onWait` hears now and then how far the holder is
 * @param {(tell: (told: Told) => void) => Promise<T>} work - `tell` lets those who wait know
 * @returns {Promise<T>}
 * @throws {Busy}
 */
export async function withLock(lock, { onWait, patienceMs = Infinity }, work) {
  await take(lock, onWait, Date.now() + patienceMs)
  const release = () => remove(lock)
  const beat = setInterval(() => showLife(lock), BEAT_MS)
  process.once('exit', release)
  try {
    return await work((told) => write(join(lock, 'told'), JSON.stringify(told)))
  } finally {
    clearInterval(beat)
    process.off('exit', release)
    release()
  }
}

/**
 * How far the holder of this lock is; undefined when nobody holds it.
 * @param {string} lock
 * @returns {Told | undefined}
 */
export function readTold(lock) {
  if (statSync(lock, { throwIfNoEntry: false }) === undefined || isAbandoned(lock)) return undefined
  return (
    /** @type {Told | undefined} */ (parsed(join(lock, 'told'))) ?? {
      step: '',
      done: 0,
      total: 0,
      secondsLeft: null,
    }
  )
}

/**
 * @param {string} lock
 * @param {(told: Told | undefined) => void} onWait
 * @param {number} until
 */
async function take(lock, onWait, until) {
  const prepared = `${lock}.${process.pid}`
  rmSync(prepared, { recursive: true, force: true })
  mkdirSync(prepared)
  writeFileSync(join(prepared, 'holder'), JSON.stringify(holder(process.pid)))
  try {
    for (;;) {
      try {
        // Moved into place whole, so that a lock always names its holder; a folder that is not empty cannot be replaced.
        renameSync(prepared, lock)
        return
      } catch (error) {
        if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(codeOf(error))) throw error
      }
      if (isAbandoned(lock) && removeAbandoned(lock)) continue
      if (Date.now() >= until) throw new Busy()
      onWait(readTold(lock))
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true })
    throw error
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
    utimesSync(join(lock, 'holder'), new Date(), new Date())
  } catch {
    // Taken over from elsewhere after a long sleep of the machine: the worker is put in place whole by each.
  }
}

/**
 * Here the holder's process tells; a number that another process has by now is not it. Of one elsewhere only its silence tells.
 * @param {string} lock
 */
function isAbandoned(lock) {
  const file = join(lock, 'holder')
  const found = /** @type {ReturnType<typeof holder> | undefined} */ (parsed(file))
  const beatAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  // Just removed, by its holder or by another who waits.
  if (beatAt === undefined) return false
  const now = found && holder(found.pid)
  if (now && found.place === now.place && now.startedAt !== undefined)
    return found.startedAt !== now.startedAt
  if (found && now && found.place === now.place && !isAlive(found.pid)) return true
  return Date.now() - beatAt > SILENT_MS
}

/**
 * What tells one process from every other.
 * @param {number} pid
 */
function holder(pid) {
  return { pid, place: `${hostname()} ${pidSpace()}`, startedAt: startedAt(pid) }
}

/** Containers number their processes anew. */
function pidSpace() {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

/**
 * By the kernel's clock; undefined where there is no such process, or no such clock.
 * @param {number} pid
 */
function startedAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name may hold anything, and ends with the last bracket.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // One that ended and that nobody has asked after yet.
    return state === 'Z' ? undefined : rest[18]
  } catch {
    return undefined
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

/**
 * Whoever reads it sees the old text or the new; where it cannot be written, those who wait hear less.
 * @param {string} file
 * @param {string} text
 */
function write(file, text) {
  try {
    writeFileSync(`${file}.next`, text)
    renameSync(`${file}.next`, file)
  } catch {
    // The disk is full, which whoever works finds out for itself.
  }
}

/**
 * @param {string} file
 * @returns {unknown}
 */
function parsed(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code ?? ''
}
