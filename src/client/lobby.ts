/** The people who wait for admission, for a participant who may admit them. */
import type { EntryDecision } from '../protocol/notifications.ts'

export interface EntryRequest {
  id: string
  name: string
  /** What the person wrote, if anything. */
  message?: string
}

export class Lobby {
  readonly #respond: (id: string, decision: EntryDecision, always?: true) => Promise<unknown>
  readonly #onSettled: (id: string) => void
  /** By participant id, in the order of the requests. */
  readonly requests = new Map<string, EntryRequest>()

  constructor(
    respond: (id: string, decision: EntryDecision, always?: true) => Promise<unknown>,
    onSettled: (id: string) => void,
  ) {
    this.#respond = respond
    this.#onSettled = onSettled
  }

  /**
   * Nobody can answer this request any more. The answer to the person who decided may arrive before or after the
   * notification to all.
   */
  settle(id: string): void {
    if (this.requests.delete(id)) this.#onSettled(id)
  }

  /**
   * @param options.always this person need not ask the next time; that takes a moderator
   * @throws {MeetingError} RESPOND_ENTRY_FAILED if somebody else was faster
   */
  async allow(id: string, { always = false } = {}): Promise<void> {
    await (always ? this.#respond(id, 'allowed', true) : this.#respond(id, 'allowed'))
    this.settle(id)
  }

  async deny(id: string): Promise<void> {
    await this.#respond(id, 'denied')
    this.settle(id)
  }

  /** Admits everybody who waits now; requests that ended in the meantime are skipped. */
  async allowAll(): Promise<void> {
    await Promise.allSettled([...this.requests.keys()].map((id) => this.allow(id)))
  }
}
