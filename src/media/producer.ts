import type { types as mediasoup } from 'mediasoup'
import { refusing } from './refusals.ts'
import type { Producer } from './sfu.ts'

/** A stream that a client sends in. */
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

  pause(): Promise<void> {
    return refusing('producer', () => this.#producer.pause())
  }

  resume(): Promise<void> {
    return refusing('producer', () => this.#producer.resume())
  }

  stats(): Promise<unknown[]> {
    return refusing('producer', () => this.#producer.getStats())
  }

  close(): void {
    this.#producer.close()
  }
}
