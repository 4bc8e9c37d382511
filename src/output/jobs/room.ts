/** Lets a job end before the disk is full. */
import { freeBytes } from '../disk.ts'
import type { JobPlace } from './job.ts'
import { JobProblem, NO_ROOM } from './problem.ts'

const LOOK_AT_DISK_MS = 5000

/** @throws {JobProblem} there is no room, or no longer */
export async function whileThereIsRoom<T>(
  place: JobPlace,
  reserveBytes: number,
  work: (place: JobPlace) => Promise<T>,
): Promise<T> {
  const { folder, inputs, signal } = place
  const noRoom = new JobProblem(NO_ROOM)
  const size = inputs.reduce((sum, input) => sum + input.size, 0)
  if ((await freeBytes(folder)) < reserveBytes + size) throw noRoom
  const full = new AbortController()
  const timer = setInterval(() => {
    freeBytes(folder).then(
      (free) => {
        if (free < reserveBytes) full.abort(noRoom)
      },
      // A folder that is gone shows when it is written to.
      () => undefined,
    )
  }, LOOK_AT_DISK_MS)
  try {
    return await work({ ...place, signal: AbortSignal.any([signal, full.signal]) })
  } finally {
    clearInterval(timer)
  }
}
