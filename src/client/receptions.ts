/**
 * What the server sends us of the others, from its offer on: each stream in one order, and of each participant at most
 * one of a kind. Pure: `Media` reports what happens and does what is answered.
 */
import type { StreamKind } from '../protocol/media.ts'

/** One consumer that the server made for us. */
export interface Offer {
  id: string
  participantId: string
  kind: StreamKind
  paused: boolean
}

export type Effect<Stream> =
  /** It is the stream of its participant and kind from now on. */
  | { do: 'show'; stream: Stream }
  | { do: 'hide'; stream: Stream }
  | { do: 'pause' | 'resume'; stream: Stream; shown: boolean }
  /** It is over: nothing may stay of it. */
  | { do: 'close'; stream: Stream }

interface Reception<Stream> extends Offer {
  /** The server sends nothing of it for now, whatever its source does. */
  held: boolean
  /** Undefined while it is being opened. */
  stream: Stream | undefined
}

export class Receptions<Stream> {
  /** In the order of the offers. */
  readonly #all = new Map<string, Reception<Stream>>()
  /** By participant and kind. */
  readonly #shown = new Map<string, Stream>()

  offered(offer: Offer): Effect<Stream>[] {
    this.#all.set(offer.id, { ...offer, held: false, stream: undefined })
    return []
  }

  /** It could be opened. If the server closed it meanwhile, it is closed at once. */
  opened(id: string, stream: Stream): Effect<Stream>[] {
    const one = this.#all.get(id)
    if (!one) return [{ do: 'close', stream }]
    one.stream = stream
    const effects = this.#show(one)
    if (isStill(one)) effects.unshift({ do: 'pause', stream, shown: false })
    return effects
  }

  /** It could not be opened. */
  failed(id: string): Effect<Stream>[] {
    return this.closed(id)
  }

  closed(id: string): Effect<Stream>[] {
    const one = this.#all.get(id)
    if (!one) return []
    this.#all.delete(id)
    return one.stream === undefined ? [] : [...this.#show(one), { do: 'close', stream: one.stream }]
  }

  paused(id: string, paused: boolean): Effect<Stream>[] {
    return this.#change(id, (one) => (one.paused = paused))
  }

  held(id: string, held: boolean): Effect<Stream>[] {
    return this.#change(id, (one) => (one.held = held))
  }

  #change(id: string, change: (one: Reception<Stream>) => void): Effect<Stream>[] {
    const one = this.#all.get(id)
    if (!one) return []
    const before = isStill(one)
    change(one)
    const { stream } = one
    const still = isStill(one)
    if (before === still || stream === undefined) return []
    return [{ do: still ? 'pause' : 'resume', stream, shown: this.#shown.get(keyOf(one)) === stream }]
  }

  /** Its participant is gone. */
  forgotten(participantId: string): Effect<Stream>[] {
    const theirs = [...this.#all.values()].filter((one) => one.participantId === participantId)
    return theirs.flatMap(({ id }) => this.closed(id))
  }

  /** All of it is gone, and what is being opened as well. */
  ended(): Effect<Stream>[] {
    return [...this.#all.keys()].flatMap((id) => this.closed(id))
  }

  /** The newest that is open is the one; an older one, if it outlives it, is the one again. */
  #show(changed: Reception<Stream>): Effect<Stream>[] {
    const key = keyOf(changed)
    const before = this.#shown.get(key)
    const now = [...this.#all.values()].findLast(
      (one) => one.stream !== undefined && keyOf(one) === key,
    )?.stream
    if (before === now) return []
    if (now === undefined) this.#shown.delete(key)
    else this.#shown.set(key, now)
    return [
      ...(before === undefined ? [] : [{ do: 'hide' as const, stream: before }]),
      ...(now === undefined ? [] : [{ do: 'show' as const, stream: now }]),
    ]
  }
}

function isStill({ paused, held }: Reception<unknown>): boolean {
  return paused || held
}

function keyOf({ participantId, kind }: Offer): string {
  return `${kind} ${participantId}`
}
