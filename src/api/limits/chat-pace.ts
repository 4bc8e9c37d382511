/** How often one participant may ask something of the chat, through whatever door it comes. */
import type { ChatSpeaker } from '../../meeting/chat/connection.ts'
import { Attempts } from './attempts.ts'

const BURST_FACTOR = 4
/** Whoever goes on although so many of its requests were refused at once is cut off. */
const PATIENCE_FACTOR = 20

export class ChatPace {
  readonly #requests: Attempts
  readonly #refusals: Attempts

  constructor(perSecond: number, now: () => number) {
    this.#requests = new Attempts({ each: { perSecond, burst: perSecond * BURST_FACTOR }, now })
    this.#refusals = new Attempts({ each: { perSecond, burst: perSecond * PATIENCE_FACTOR }, now })
  }

  /** Counts a request. False when it comes too soon. */
  take(speaker: ChatSpeaker): boolean {
    return this.#requests.take(nameOf(speaker))
  }

  /** Counts a refusal. False when there were too many. */
  takeRefusal(speaker: ChatSpeaker): boolean {
    return this.#refusals.take(nameOf(speaker))
  }
}

/** Coming back, by another socket or with another token, gives nobody a new pace. */
function nameOf({ sessionId, participantId }: ChatSpeaker): string {
  return JSON.stringify([sessionId, participantId])
}
