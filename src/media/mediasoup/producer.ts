import type { types as mediasoup } from 'mediasoup'
import { refusing } from '../refusals.ts'
import type { Producer, StreamStats } from '../sfu.ts'
import { toStreamStats } from './stats.ts'

/** A stream that one client sends. */
export class MediasoupProducer implements Producer {
  readonly #producer: mediasoup.Producer

  constructor(producer: mediasoup.Producer) {
    this.#producer = producer
  }

  get id(): string {
    return this.#producer.id
  }

  get kind(): Producer['kind'] {
    return this.#producer.kind
  }

  get type(): Producer['type'] {
    return this.#producer.type
  }

  get paused(): boolean {
    return this.#producer.paused
  }

  get scores(): number[] {
    return this.#producer.score
      .toSorted((one, other) => one.encodingIdx - other.encodingIdx)
      .map(({ score }) => score)
  }

  pause(): Promise<void> {
    return refusing('producer', () => this.#producer.pause())
  }

  resume(): Promise<void> {
    return refusing('producer', () => this.#producer.resume())
  }

  async stats(): Promise<StreamStats> {
    const entries = await refusing('producer', () => this.#producer.getStats())
    return toStreamStats(entries, 'inbound-rtp', this.#producer.rtpParameters.codecs[0]?.clockRate ?? 90_000)
  }

  close(): void {
    this.#producer.close()
  }
}
