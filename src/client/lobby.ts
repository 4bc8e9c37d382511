/** Who waits to be let in, for one who may decide. */
import type { EntryDecision } from '../protocol/notifications.ts'

export interface EntryRequest {
  id: string
  name: string
}

export class Lobby {
  readonly #respond: (id: string, decision: EntryDecision) => Promise<unknown>
  readonly #onSettled: (id: string) => void
  /** By participant id, in the order of asking. */
  readonly requests = new Map<string, EntryRequest>()

  constructor(
    respond: (id: string, decision: EntryDecision) => Promise<unknown>,
    onSettled: (id: string) => void,
  ) {
    this.#respond = respond
    this.#onSettled = onSettled
  }

  /** Nobody can answer this one any more. The answer to whoever decided may come before the word to all, or after it. */
  settle(id: string): void {
    if (this.requests.delete(id)) this.#onSettled(id)
  }

  /** @throws {MeetingError} RESPOND_ENTRY_FAILED when somebody was quicker */
  async allow(id: string): Promise<void> {
    await this.#respond(id, 'allowed')
    this.settle(id)
  }

  async deny(id: string): Promise<void> {
    await this.#respond(id, 'denied')
    this.settle(id)
  }

  /** Everybody who waits now; who is gone meanwhile is passed over. */
  async allowAll(): Promise<void> {
    await Promise.allSettled([...this.requests.keys()].map((id) => this.allow(id)))
  }
}
