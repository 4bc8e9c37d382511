/** How one node gets the streams of another, over the channel between them. */
import type { LineEnd, OfferEvent, StreamOffer, StreamSource } from '../../media/sfu.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { Channel } from './channel.ts'

interface Listener {
  hear: (event: OfferEvent) => void
  /** Undefined until the other side has answered. */
  streamId?: string
}

/** The streams that the other side of a channel has. */
export class ChannelSource implements StreamSource {
  readonly #channel: Pick<Channel, 'call' | 'tell'>
  readonly #listeners = new Map<number, Listener>()
  /** By the id of the stream. */
  readonly #keys = new Map<string, number>()
  #made = 0

  constructor(channel: Pick<Channel, 'call' | 'tell'>) {
    this.#channel = channel
  }

  async offer(producerId: string, to: string, hear: (event: OfferEvent) => void): Promise<StreamOffer> {
    // Registered before the call, because the stream may change before its answer arrives.
    const key = ++this.#made
    const listener: Listener = { hear }
    this.#listeners.set(key, listener)
    try {
      const offer = (await this.#channel.call('offer', producerId, to, key)) as StreamOffer
      listener.streamId = offer.streamId
      // It may have closed already.
      if (this.#listeners.has(key)) this.#keys.set(offer.streamId, key)
      return offer
    } catch (error) {
      this.#forget(key)
      throw error
    }
  }

  async connect(lineId: string, end: LineEnd): Promise<void> {
    await this.#channel.call('connect', lineId, end)
  }

  async flow(streamId: string, flows: boolean): Promise<void> {
    await this.#channel.call('flow', streamId, flows)
  }

  close(streamId: string): void {
    this.#forget(this.#keys.get(streamId) ?? 0)
    this.#channel.tell('closeStream', streamId)
  }

  /** A message of the other side about a stream. */
  hear(key: number, event: OfferEvent): void {
    this.#listeners.get(key)?.hear(event)
    if (event === 'closed') this.#forget(key)
  }

  /** Call this when the connection is lost: it ends every stream. */
  lose(): void {
    const listeners = [...this.#listeners.values()]
    this.#listeners.clear()
    this.#keys.clear()
    for (const { hear } of listeners) hear('closed')
  }

  #forget(key: number): void {
    const streamId = this.#listeners.get(key)?.streamId
    this.#listeners.delete(key)
    if (streamId !== undefined) this.#keys.delete(streamId)
  }
}

/** Gives the streams of this side to the other side of a channel. */
export class ServedSource {
  readonly #source: StreamSource
  readonly #channel: Pick<Channel, 'tell'>
  readonly #given = new Set<string>()
  #isLost = false

  constructor(source: StreamSource, channel: Pick<Channel, 'tell'>) {
    this.#source = source
    this.#channel = channel
  }

  /** Answers a call of the other side. Undefined: it is not about streams. */
  answer(method: string, args: unknown[]): Promise<unknown> | undefined {
    if (method === 'offer') return this.#offer(...(args as [string, string, number]))
    if (method === 'connect') return this.#source.connect(...(args as [string, LineEnd]))
    if (method === 'flow') return this.#source.flow(...(args as [string, boolean]))
    return undefined
  }

  close(streamId: string): void {
    if (this.#given.delete(streamId)) this.#source.close(streamId)
  }

  /** Call this when the connection is lost: the other side does not take these streams any more. */
  closeAll(): void {
    this.#isLost = true
    for (const streamId of [...this.#given]) this.close(streamId)
  }

  async #offer(producerId: string, to: string, key: number): Promise<StreamOffer> {
    const given: { streamId?: string; isClosed?: boolean } = {}
    const offer = await this.#source.offer(producerId, to, (event) => {
      if (event === 'closed') {
        given.isClosed = true
        this.#given.delete(given.streamId ?? '')
      }
      this.#channel.tell('stream', key, event)
    })
    if (given.isClosed) throw new Refusal('INVALID_STATE', { reason: 'closed' })
    if (this.#isLost) {
      this.#source.close(offer.streamId)
      throw new Refusal('INVALID_STATE', { reason: 'closed' })
    }
    given.streamId = offer.streamId
    this.#given.add(offer.streamId)
    return offer
  }
}
