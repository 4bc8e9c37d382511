/** RTP between a router and programs on this machine: taps send it out, ingresses receive it. */
import type { types as mediasoup } from 'mediasoup'
import { ownLoopback } from '../../loopback.ts'
import type { MediaLog } from '../log.ts'
import type { Ingress, IngressEvents, IngressOptions, Producer, Tap, TapOptions } from '../sfu.ts'
import { Listeners } from '../listeners.ts'
import { refusing } from '../refusals.ts'
import { MediasoupConsumer } from './consumer.ts'
import { MediasoupProducer } from './producer.ts'
import { asksForKeyFrame } from './rtcp.ts'
import { makeConsumer, makeProducer, type TransportHost } from './transport.ts'

export interface LocalHost extends TransportHost {
  /** Registers a transport for a program on this machine. */
  ownLocally(transport: mediasoup.Transport): void
}

const listenInfo = { protocol: 'udp', ip: ownLoopback() } as const

export async function openTap(
  router: mediasoup.Router,
  host: LocalHost,
  { producerId, rtpCapabilities, to }: TapOptions & Required<Pick<TapOptions, 'rtpCapabilities'>>,
): Promise<Tap> {
  const transport = await (to ? sendingTo(router, to) : direct(router))
  host.ownLocally(transport)
  return closingOnFailure(transport, async () => {
    const consumer = await makeConsumer(transport, host, { producerId, rtpCapabilities })
    // The end of the stream, for any reason, closes its transport.
    consumer.observer.once('close', () => transport.close())
    return new MediasoupTap(consumer, producerId, host.log)
  })
}

export async function openIngress(
  router: mediasoup.Router,
  host: LocalHost,
  options: IngressOptions,
): Promise<Ingress> {
  const plain = options.over === 'udp' ? await receiving(router) : undefined
  const transport = plain ?? (await direct(router))
  host.ownLocally(transport)
  return closingOnFailure(transport, async () => {
    const producer = await makeProducer(transport, host, options)
    producer.observer.once('close', () => transport.close())
    return new MediasoupIngress(transport, producer, plain?.tuple.localPort, host.log)
  })
}

class MediasoupTap extends MediasoupConsumer implements Tap {
  readonly #packets: Listeners<{ packet: (packet: Buffer) => void }>

  constructor(consumer: mediasoup.Consumer, producerId: string, log: MediaLog | undefined) {
    super(consumer, producerId, log)
    this.#packets = new Listeners(log)
    consumer.on('rtp', (packet) => this.#packets.emit('packet', packet))
    consumer.observer.once('close', () => this.#packets.clear())
  }

  onPacket(listener: (packet: Buffer) => void): void {
    this.#packets.on('packet', listener)
  }
}

class MediasoupIngress implements Ingress {
  readonly producer: Producer
  readonly port: number | undefined
  readonly #producer: mediasoup.Producer
  readonly #listeners: Listeners<IngressEvents>

  constructor(
    transport: mediasoup.Transport,
    producer: mediasoup.Producer,
    port: number | undefined,
    log: MediaLog | undefined,
  ) {
    this.producer = new MediasoupProducer(producer)
    this.port = port
    this.#producer = producer
    this.#listeners = new Listeners(log)
    transport.on('routerclose', () => this.#listeners.emit('lost'))
    producer.observer.once('close', () => this.#listeners.emit('closed'))
    if (isDirect(transport)) {
      transport.on('rtcp', (packet) => {
        if (asksForKeyFrame(packet)) this.#listeners.emit('keyFrameWanted')
      })
    }
  }

  on<E extends keyof IngressEvents>(event: E, listener: IngressEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  send(packet: Buffer): void {
    if (!this.#producer.closed && this.port === undefined) this.#producer.send(packet)
  }

  close(): void {
    this.#producer.close()
  }
}

function isDirect(transport: mediasoup.Transport): transport is mediasoup.DirectTransport {
  return transport.type === 'direct'
}

function direct(router: mediasoup.Router): Promise<mediasoup.DirectTransport> {
  return refusing('meeting', () => router.createDirectTransport())
}

async function sendingTo(
  router: mediasoup.Router,
  { port, rtcpPort }: { port: number; rtcpPort?: number },
): Promise<mediasoup.PlainTransport> {
  const rtcpMux = rtcpPort === undefined
  const transport = await refusing('meeting', () => router.createPlainTransport({ listenInfo, rtcpMux }))
  return closingOnFailure(transport, async () => {
    const { ip } = listenInfo
    await refusing('transport', () => transport.connect({ ip, port, ...(!rtcpMux && { rtcpPort }) }))
    return transport
  })
}

/** Creates a transport that accepts packets from the first address that sends. */
function receiving(router: mediasoup.Router): Promise<mediasoup.PlainTransport> {
  return refusing('meeting', () => router.createPlainTransport({ listenInfo, rtcpMux: true, comedia: true }))
}

async function closingOnFailure<T>(transport: mediasoup.Transport, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    transport.close()
    throw error
  }
}
