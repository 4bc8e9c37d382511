import type { RtpCapabilities } from '../../protocol/media.ts'
import { Listeners } from '../listeners.ts'
import type { Ingress, IngressEvents, Producer, Tap } from '../sfu.ts'
import { FakeConsumer, type FakeProducer, type StreamHost } from './streams.ts'
import type { FakeTransport } from './transport.ts'

export class FakeTap extends FakeConsumer implements Tap {
  readonly #packets = new Listeners<{ packet: (packet: Buffer) => void }>()
  readonly #transport: FakeTransport

  constructor(transport: FakeTransport, producer: FakeProducer, rtpCapabilities: RtpCapabilities) {
    super(transport satisfies StreamHost, producer, rtpCapabilities)
    this.#transport = transport
  }

  onPacket(listener: (packet: Buffer) => void): void {
    this.#packets.on('packet', listener)
  }

  take(packet: Buffer): void {
    if (!this.closed) this.#packets.emit('packet', packet)
  }

  override vanish(): void {
    super.vanish()
    this.#transport.vanish()
  }
}

export class FakeIngress implements Ingress {
  readonly producer: Producer
  readonly port: number | undefined
  readonly #producer: FakeProducer
  readonly #listeners = new Listeners<IngressEvents>()

  /** @param port the port on which it pretends to listen */
  constructor(transport: FakeTransport, producer: FakeProducer, port: number | undefined) {
    this.producer = producer
    this.#producer = producer
    this.port = port
    transport.on('lost', () => this.#listeners.emit('lost'))
    producer.onClose.add(() => this.#listeners.emit('closed'))
    producer.keyFrameWanted.add(() => this.#listeners.emit('keyFrameWanted'))
  }

  on<E extends keyof IngressEvents>(event: E, listener: IngressEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  send(packet: Buffer): void {
    const { closed, paused, consumers } = this.#producer
    if (closed || paused || this.port !== undefined) return
    for (const consumer of consumers)
      if (consumer instanceof FakeTap && !consumer.paused) setImmediate(() => consumer.take(packet))
  }

  close(): void {
    this.#producer.close()
  }
}
