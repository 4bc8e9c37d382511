/** Limits how often one participant may send chat requests, over any kind of connection. */
import type { ChatSpeaker } from '../../meeting/chat/connection.ts'
import { Attempts } from './attempts.ts'

const BURST_FACTOR = 4
/** A participant with this many refusals in a row is disconnected. */
const PATIENCE_FACTOR = 20

export class ChatPace {
  readonly #requests: Attempts
  readonly #refusals: Attempts

  constructor(perSecond: number, now: () => number) {
    this.#requests = new Attempts({ each: { perSecond, burst: perSecond * BURST_FACTOR }, now })
    this.#refusals = new Attempts({ each: { perSecond, burst: perSecond * PATIENCE_FACTOR }, now })
  }

  /** Counts a request. Returns false if it comes too soon. */
  take(speaker: ChatSpeaker): boolean {
    return this.#requests.take(nameOf(speaker))
  }

  /** Counts a refusal. Returns false if there were too many. */
  takeRefusal(speaker: ChatSpeaker): boolean {
    return this.#refusals.take(nameOf(speaker))
  }
}

/** A participant who reconnects, even with another token, keeps the same limit. */
function nameOf({ sessionId, participantId }: ChatSpeaker): string {
  return JSON.stringify([sessionId, participantId])
}
