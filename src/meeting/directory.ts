/**
 * Where meetings have their homes. One process at a time is the home of a meeting: it holds what goes on in it and speaks
 * for it. A directory that several processes share stands behind the same interface.
 */

/** `here`: this process; else the base address of the process that is the home. */
export type Location = 'here' | { url: string }

export interface Directory {
  /** Undefined: the meeting is live nowhere. */
  locate(meetingId: string): Promise<Location | undefined>
  /** Makes this process the home, unless another is; answers where the home is then. */
  claim(meetingId: string): Promise<Location>
  /** This process is the home no more. */
  release(meetingId: string): Promise<void>
}

/** The directory of a process that is alone: every meeting that is live is live here. */
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
