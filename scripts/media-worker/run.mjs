// Runs programs to their end, each in its own process group.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/**
 * Runs a program and everything that it starts; ends all of it on a timeout.
 * @param {string} file
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, onOutput?: (text: string) => void }} [options]
 * @returns {Promise<{ status: number | null, timedOut: boolean, error?: string | undefined }>}
 *  `error` tells why it could not be started
 */
export function run(file, args, { cwd, env, timeoutMs, onOutput } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    })
    running.add(child)
    let timedOut = false
    const timer = timeoutMs
      ? setTimeout(() => {
          timedOut = true
          endGroup(child, 'SIGKILL')
        }, timeoutMs)
      : undefined
    const finish = (/** @type {number | null} */ status, /** @type {string} */ error) => {
      clearTimeout(timer)
      running.delete(child)
      resolve({ status, timedOut, error })
    }
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => onOutput?.(text))
    child.on('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      finish(null, error.code ?? error.message),
    )
    child.on('close', (status) => finish(status, ''))
  })
}

/** Stops the groups with this process, because they do not get the terminal's Ctrl-C. */
export function stopWithThisProcess() {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(signal, () => stop(128 + constants.signals[signal]))
  }
}

/** For a process that works for its parent: its input ends when the parent ends, however that happens. */
export function stopWhenInputEnds() {
  process.stdin.once('end', () => stop(1)).resume()
}

/** @param {number} status */
function stop(status) {
  for (const child of running) endGroup(child, 'SIGTERM')
  process.exit(status)
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function endGroup(child, signal) {
  try {
    if (process.platform === 'win32' || !child.pid) child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch {
    // It has ended, or it was started through sudo and belongs to root.
  }
}
