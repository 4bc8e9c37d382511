/** Starts and stops the processes of media workers. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { createWorker, type types as mediasoup } from 'mediasoup'
import { WorkerUnusable } from '../start-errors.ts'

type WorkerLog = Pick<mediasoup.WorkerSettings, 'logLevel' | 'logTags'>

/** A worker that does not report its start within this time is considered broken. */
const startTimeoutMs = 10_000
/** A worker that does not stop within this time is killed. */
const stopTimeoutMs = 700
/** How much later than a worker this process may get a signal that goes to both, on a busy machine. */
const signalMs = 250

/**
 * The running workers. None outlives this process: at its exit they are killed, and if it is killed itself, the workers
 * end because their pipe is closed.
 */
const processes = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of processes) child.kill('SIGKILL')
})

export const workerDiedAtStart = (workerBin: string, cause: unknown): WorkerUnusable =>
  new WorkerUnusable(`${workerBin} ended while it was started`, { cause })

/**
 * Whether a worker that ended by itself did so because this program is to stop: the terminal's Ctrl-C reaches the workers too, and this
 * process may get its own signal a moment later. Resolves after that moment.
 */
export async function isStopping(gaveUp: AbortSignal | undefined): Promise<boolean> {
  await delay(signalMs, undefined, gaveUp && { signal: gaveUp }).catch(() => undefined)
  return gaveUp?.aborted ?? false
}

/**
 * @throws {WorkerUnusable}
 * @throws the reason of `gaveUp` if that is aborted first
 */
export async function startWorker(
  { workerBin, workerLog = { logLevel: 'error' } }: { workerBin: string; workerLog?: WorkerLog },
  gaveUp: AbortSignal,
): Promise<mediasoup.Worker> {
  gaveUp.throwIfAborted()
  const { starting, child } = spawnWorker(workerBin, workerLog)
  const settled = new AbortController()
  try {
    const worker = await Promise.race([
      starting,
      delay(startTimeoutMs, undefined, { signal: AbortSignal.any([gaveUp, settled.signal]), ref: false }),
    ])
    if (worker && !gaveUp.aborted) return worker
  } catch (error) {
    if (!(await isStopping(gaveUp))) throw new WorkerUnusable(`${workerBin} does not start`, { cause: error })
  } finally {
    settled.abort()
  }
  // The worker may never answer, so it cannot be asked to end.
  child?.kill('SIGKILL')
  starting.then(
    (late) => late.close(),
    () => undefined,
  )
  gaveUp.throwIfAborted()
  throw new WorkerUnusable(`${workerBin} started and said nothing for ${startTimeoutMs} ms`)
}

/**
 * Starts a worker and returns its process too. mediasoup would end its workers by itself when this process gets a
 * signal, but the program must decide the time and the order.
 */
function spawnWorker(
  workerBin: string,
  workerLog: WorkerLog,
): {
  starting: Promise<mediasoup.Worker>
  child: ChildProcess | undefined
} {
  const signals = ['SIGINT', 'SIGTERM'] as const
  const before = signals.map((signal) => process.listeners(signal))
  let child: ChildProcess | undefined
  const onProcess = (message: unknown): void => {
    const started = (message as { process: ChildProcess }).process
    child = started
    processes.add(started)
    for (const event of ['exit', 'error']) started.once(event, () => processes.delete(started))
  }
  subscribe('child_process', onProcess)
  try {
    // mediasoup spawns the process before it returns its promise.
    return { starting: createWorker({ workerBin, ...workerLog }), child }
  } finally {
    unsubscribe('child_process', onProcess)
    for (const [at, signal] of signals.entries())
      for (const listener of process.listeners(signal))
        if (!before[at]!.includes(listener)) process.off(signal, listener)
  }
}

/** Resolves when the process has ended; kills it if necessary. */
export async function stopWorker(worker: mediasoup.Worker): Promise<void> {
  if (worker.subprocessClosed) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      try {
        process.kill(worker.pid, 'SIGKILL')
      } catch {
        // It has just ended by itself.
      }
      resolve()
    }, stopTimeoutMs)
    worker.once('subprocessclose', () => {
      clearTimeout(timer)
      resolve()
    })
    worker.close()
  })
}
