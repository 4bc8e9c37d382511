/**
 * The streams that the server sends us, from their offer on: each in one order, and at most one of each kind per
 * participant. Pure: `Media` reports events and applies the effects.
 */
import type { StreamKind } from '../protocol/media.ts'

/** A consumer that the server created for us. */
export interface Offer {
  id: string
  participantId: string
  kind: StreamKind
  paused: boolean
}

export type Effect<Stream> =
  /** It is now the shown stream of its participant and kind. */
  | { do: 'show'; stream: Stream }
  | { do: 'hide'; stream: Stream }
  | { do: 'pause' | 'resume'; stream: Stream; shown: boolean }
  /** It ended: release everything of it. */
  | { do: 'close'; stream: Stream }

interface Reception<Stream> extends Offer {
  /** Whether the server pauses it for us, whatever its source does. */
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

  /** It was opened. If the server closed it in the meantime, it is closed immediately. */
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

  /** Its participant left. */
  forgotten(participantId: string): Effect<Stream>[] {
    const theirs = [...this.#all.values()].filter((one) => one.participantId === participantId)
    return theirs.flatMap(({ id }) => this.closed(id))
  }

  /** All streams ended, including those being opened. */
  ended(): Effect<Stream>[] {
    return [...this.#all.keys()].flatMap((id) => this.closed(id))
  }

  /** Shows the newest open stream; an older one is shown again if the newer ends first. */
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
