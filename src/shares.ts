/**
 * Limits how much of a session's shared resources one participant may take, and how much all holders of one token together. A cap
 * protects the server; shares protect the others: something is always left for them.
 */
import { Refusal, type ErrorName } from './protocol/errors.ts'
import { Tally } from './tally.ts'

/** Who takes something. A token without a participant that is used over REST has no `participantId`. */
export interface Holder {
  tokenId: string
  participantId?: string
}

/** Limits, or amounts taken: of the whole session, of all holders of one token, and of one participant. */
export interface Shares {
  session: number
  token: number
  participant: number
}

/** Divides a cap. `least`: what everybody may always take if the session has room, such as one file. */
export function sharesOf(cap: number, least = 1): Shares {
  return {
    session: cap,
    token: Math.max(least, Math.floor(cap / 2)),
    participant: Math.max(least, Math.floor(cap / 4)),
  }
}

/** The first limit that `more` would exceed, if any. */
export function beyond(limits: Shares, taken: Shares, more: Shares): keyof Shares | undefined {
  return (['participant', 'token', 'session'] as const).find((of) => taken[of] + more[of] > limits[of])
}

const sentences: Record<keyof Shares, (whole: string, what: string) => string> = {
  session: (whole, what) => `This ${whole} has no room for more ${what}.`,
  token: (whole, what) => `This token has its share of the ${whole}'s ${what}.`,
  participant: (whole, what) => `This participant has its share of the ${whole}'s ${what}.`,
}

/** Describes the limit that was reached; `what` is a plural or mass noun, such as `topics` or `chat`. */
export function beyondShare(
  code: ErrorName,
  of: keyof Shares,
  what: string,
  whole: 'session' | 'meeting' = 'session',
): Refusal {
  return new Refusal(code, { message: sentences[of](whole, what) })
}

/** Counts an amount that is taken and given back: bytes, places, keys. */
export class SharedAmount {
  readonly #limits: Shares
  #taken = 0
  readonly #byToken = new Tally()
  readonly #byParticipant = new Tally()

  constructor(limits: Shares) {
    this.#limits = limits
  }

  /** Takes it; or takes nothing and returns the limit that would be exceeded. */
  take(holder: Holder, amount = 1): keyof Shares | undefined {
    const { tokenId, participantId } = holder
    const taken = {
      session: this.#taken,
      token: this.#byToken.of(tokenId),
      participant: participantId === undefined ? 0 : this.#byParticipant.of(participantId),
    }
    const participant = participantId === undefined ? 0 : amount
    const over = beyond(this.#limits, taken, { session: amount, token: amount, participant })
    if (!over) this.add(holder, amount)
    return over
  }

  /** Counts an amount regardless of the limits. A negative amount is given back. */
  add({ tokenId, participantId }: Partial<Holder>, amount: number): void {
    this.#taken += amount
    if (tokenId !== undefined) this.#byToken.add(tokenId, amount)
    if (participantId !== undefined) this.#byParticipant.add(participantId, amount)
  }
}

/**
 * Counts things that several share, such as a topic with many subscribers. A thing counts once for the session and once for
 * a token, however many participants hold it, and once for each participant that holds it.
 */
export class SharedThings {
  readonly #limits: Shares
  readonly #holders = new Tally()
  readonly #byToken = new Map<string, { held: Tally; things: number }>()
  readonly #byParticipant = new Map<string, Set<string>>()

  #things = 0

  constructor(limits: Shares) {
    this.#limits = limits
  }

  /** Takes it, unless this holder already has it; or returns the limit that would be exceeded. */
  take(thing: string, { tokenId, participantId }: Required<Holder>): keyof Shares | undefined {
    const own = this.#byParticipant.get(participantId) ?? new Set()
    if (own.has(thing)) return undefined
    const ofToken = this.#byToken.get(tokenId) ?? { held: new Tally(), things: 0 }
    const isNew = this.#holders.of(thing) === 0 ? 1 : 0
    const isNewToToken = ofToken.held.of(thing) === 0 ? 1 : 0
    const over = beyond(
      this.#limits,
      { session: this.#things, token: ofToken.things, participant: own.size },
      { session: isNew, token: isNewToToken, participant: 1 },
    )
    if (over) return over
    this.#things += isNew
    this.#holders.add(thing, 1)
    ofToken.things += isNewToToken
    ofToken.held.add(thing, 1)
    this.#byToken.set(tokenId, ofToken)
    this.#byParticipant.set(participantId, own.add(thing))
    return undefined
  }

  /** Does nothing if this holder does not have it. */
  give(thing: string, { tokenId, participantId }: Required<Holder>): void {
    const own = this.#byParticipant.get(participantId)
    if (!own?.delete(thing)) return
    if (own.size === 0) this.#byParticipant.delete(participantId)
    this.#holders.add(thing, -1)
    if (this.#holders.of(thing) === 0) this.#things--
    const ofToken = this.#byToken.get(tokenId)!
    ofToken.held.add(thing, -1)
    if (ofToken.held.of(thing) === 0) ofToken.things--
    if (ofToken.things === 0) this.#byToken.delete(tokenId)
  }
}
