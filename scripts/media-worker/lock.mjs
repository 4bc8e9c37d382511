// Lets one process at a time fetch or build the worker; the others wait and get its progress.
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
/** A holder on another machine or in another container that has been silent for this long is considered dead. */
const SILENT_MS = 60_000

/**
 * @typedef {{ step: string, done: number, total: number, secondsLeft: number | null }} Told - the progress of the work
 */

/** Another process held the lock for longer than this one was willing to wait. */
export class Busy extends Error {}

/**
 * @template T
 * @param {string} lock - a folder that exists while a process works
 * @param {{ onWait: (told: Told | undefined) => void, patienceMs?: number | undefined }} waiting
 *  `onWait` is called regularly with the holder's progress
 * @param {(tell: (told: Told) => void) => Promise<T>} work - `tell` reports its progress to the waiting processes
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
 * The progress of this lock's holder; undefined if nobody holds it.
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
        // A rename is atomic, so a lock always names its holder; it fails if the lock exists, because that folder is
        // not empty.
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
 * Renames the folder before deleting it: a folder that is emptied in place could be replaced by another process's lock
 * before the folder itself is deleted.
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
 * Removes the lock of a dead holder. Only one process does so at a time: otherwise a slower one could remove the lock
 * of a process that has just taken it.
 * @param {string} lock
 * @returns whether this process had its turn
 */
function removeAbandoned(lock) {
  const turn = `${lock}.turn`
  try {
    mkdirSync(turn)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    // The turn takes an instant, unless the process was killed in it.
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
    // The lock was taken over after this machine slept for long. That is safe: each process puts a complete worker in
    // place.
  }
}

/**
 * On this machine, compares the holder's process (a process with the same id but another start time is not the holder).
 * For a holder elsewhere, only its silence counts.
 * @param {string} lock
 */
function isAbandoned(lock) {
  const file = join(lock, 'holder')
  const found = /** @type {ReturnType<typeof holder> | undefined} */ (parsed(file))
  const beatAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  // It was just removed, by its holder or by another waiting process.
  if (beatAt === undefined) return false
  const now = found && holder(found.pid)
  if (now && found.place === now.place && now.startedAt !== undefined)
    return found.startedAt !== now.startedAt
  if (found && now && found.place === now.place && !isAlive(found.pid)) return true
  return Date.now() - beatAt > SILENT_MS
}

/**
 * Identifies a process.
 * @param {number} pid
 */
function holder(pid) {
  return { pid, place: `${hostname()} ${pidSpace()}`, startedAt: startedAt(pid) }
}

/** Each container has its own process ids. */
function pidSpace() {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

/**
 * The start time by the kernel's clock; undefined if there is no such process, or no such clock.
 * @param {number} pid
 */
function startedAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name may contain anything, and ends at the last bracket.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended.
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
 * Writes atomically. If it fails, the waiting processes get no progress.
 * @param {string} file
 * @param {string} text
 */
function write(file, text) {
  try {
    writeFileSync(`${file}.next`, text)
    renameSync(`${file}.next`, file)
  } catch {
    // The disk is full; the worker's own writes will report that.
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
