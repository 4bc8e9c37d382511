/** The priority of programs that make outputs. */
import { setPriority } from 'node:os'

/** Lower priority than the media workers and the server, so that people in the meeting hear no gaps. */
const NICENESS = 5

/** Lowers the priority of a process. Threads and processes that it starts later inherit it. */
export function lower(pid: number): void {
  try {
    setPriority(pid, NICENESS)
  } catch {
    // It has already ended, which its exit reports.
  }
}
