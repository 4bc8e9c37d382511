/**
 * The homes of meetings. One process at a time is the home of a meeting: it holds its live state and answers
 * for it. A directory shared by several processes has the same interface.
 */

/** `here`: this process; otherwise the base URL of the process that is the home. */
export type Location = 'here' | { url: string }

export interface Directory {
  /** Returns undefined if the meeting is not live. */
  locate(meetingId: string): Promise<Location | undefined>
  /** Makes this process the home, unless another process is; returns where the home is. */
  claim(meetingId: string): Promise<Location>
  /** Gives up the home. */
  release(meetingId: string): Promise<void>
  /** When the former home was last known to run, if this process took the meeting over from it. */
  lastAliveAt?(meetingId: string): number | undefined
  /** Whether other processes have homes too: then a start resumes nothing by itself. */
  readonly isShared?: boolean
}

/** The directory of a single process: every live meeting is here. */
export class LocalDirectory implements Directory {
  readonly #homes = new Set<string>()

  locate(meetingId: string): Promise<Location | undefined> {
    return Promise.resolve(this.#homes.has(meetingId) ? 'here' : undefined)
  }

  claim(meetingId: string): Promise<Location> {
    this.#homes.add(meetingId)
    return Promise.resolve('here')
  }

  release(meetingId: string): Promise<void> {
    this.#homes.delete(meetingId)
    return Promise.resolve()
  }
}
