/**
 * Streams between routers of different hosts, over encrypted lines. A line carries streams in one direction, from one
 * router to another. Its source is told what to do by the receiving side, or by whoever speaks for it.
 */
import type { types as mediasoup } from 'mediasoup'
import { SOCKET_BUFFER_BYTES } from '../ports.ts'
import { closed, refusing } from '../refusals.ts'
import type { LineEnd, OfferEvent, StreamOffer, StreamSource } from '../sfu.ts'
import { Demand, followPause, onClose, once, type PipeTimes, type Receiver } from './pipes.ts'

export interface HostLineOptions {
  /** The address of this machine that other hosts reach. */
  address: string
  ports: { min: number; max: number }
}

/** The lines of all routers of this host. */
export class HostLines {
  readonly #options: mediasoup.PipeTransportOptions
  /** Producers of other hosts that are about to be here. A second consumer waits, because a stream comes only once. */
  readonly arriving = new Map<string, Promise<void>>()

  constructor({ address, ports }: HostLineOptions) {
    this.#options = {
      listenInfo: {
        protocol: 'udp',
        ip: address,
        portRange: ports,
        sendBufferSize: SOCKET_BUFFER_BYTES,
        recvBufferSize: SOCKET_BUFFER_BYTES,
      },
      enableSctp: true,
      enableRtx: true,
      enableSrtp: true,
    }
  }

  /** @throws mediasoup's errors */
  open(router: mediasoup.Router): Promise<mediasoup.PipeTransport> {
    return router.createPipeTransport(this.#options)
  }
}

/** What the lines need of a router. */
interface Ended {
  readonly id: string
  /** @throws mediasoup's errors */
  openHostLine(): Promise<mediasoup.PipeTransport>
  /** Counts a stream that is sent to another router. */
  countPipedOut(stream: Receiver): void
}

/** Where a producer is; the copy of one that comes from another host has a demand. */
interface Place {
  router: Ended
  producer: mediasoup.Producer | mediasoup.DataProducer
  demand?: Demand
}

interface Outlet {
  line: Promise<mediasoup.PipeTransport>
  streams: number
}

/** What this host sends to others. */
export class Outlets implements StreamSource {
  readonly #homes: ReadonlyMap<string, Place>
  readonly #outlets = new WeakMap<Ended, Map<string, Outlet>>()
  readonly #lines = new Map<string, mediasoup.PipeTransport>()
  readonly #streams = new Map<string, Receiver>()

  constructor(homes: ReadonlyMap<string, Place>) {
    this.#homes = homes
  }

  async offer(producerId: string, to: string, hear: (event: OfferEvent) => void): Promise<StreamOffer> {
    const home = this.#homes.get(producerId)
    // A copy of a stream is not offered: the line goes straight from the source.
    if (!home || home.demand) throw closed('stream')
    const { router, producer } = home
    const outlet = this.#outletTo(router, to)
    outlet.streams += 1
    // Called twice if the stream closes while it is being paused.
    const done = once(() => {
      outlet.streams -= 1
      if (outlet.streams > 0) return
      outlet.line.then(
        (line) => line.close(),
        () => undefined,
      )
      const outlets = this.#outlets.get(router)
      if (outlets?.get(to) === outlet) outlets.delete(to)
    })
    let made: Receiver | undefined
    try {
      return await refusing('stream', async () => {
        const line = await outlet.line
        const stream = (made =
          'kind' in producer
            ? await line.consume({ producerId })
            : await line.consumeData({ dataProducerId: producerId }))
        this.#streams.set(stream.id, stream)
        router.countPipedOut(stream)
        onClose(stream, () => {
          this.#streams.delete(stream.id)
          hear('closed')
          done()
        })
        const { localAddress: ip, localPort: port } = line.tuple
        const offer = {
          streamId: stream.id,
          lineId: line.id,
          end: { ip, port, srtpParameters: line.srtpParameters! },
        }
        if (!('kind' in stream)) {
          const { sctpStreamParameters, label, protocol } = stream
          return { ...offer, data: { sctpStreamParameters: sctpStreamParameters!, label, protocol } }
        }
        stream.on('producerpause', () => hear('paused'))
        stream.on('producerresume', () => hear('resumed'))
        await stream.pause()
        const { kind, rtpParameters, producerPaused: paused } = stream
        return { ...offer, media: { kind, rtpParameters, paused } }
      })
    } catch (error) {
      made?.close()
      done()
      throw error
    }
  }

  async connect(lineId: string, { ip, port, srtpParameters }: LineEnd): Promise<void> {
    const line = this.#lines.get(lineId)
    if (!line) throw closed('line')
    await refusing('line', () =>
      line.connect({ ip, port, srtpParameters: srtpParameters as mediasoup.SrtpParameters }),
    )
  }

  async flow(streamId: string, flows: boolean): Promise<void> {
    const stream = this.#streams.get(streamId)
    if (!stream) throw closed('stream')
    if ('kind' in stream) await refusing('stream', () => (flows ? stream.resume() : stream.pause()))
  }

  close(streamId: string): void {
    this.#streams.get(streamId)?.close()
  }

  #outletTo(router: Ended, to: string): Outlet {
    let outlets = this.#outlets.get(router)
    if (!outlets) this.#outlets.set(router, (outlets = new Map<string, Outlet>()))
    const known = outlets.get(to)
    if (known) return known
    const outlet = { line: router.openHostLine(), streams: 0 }
    outlets.set(to, outlet)
    const forget = (): void => {
      if (outlets.get(to) === outlet) outlets.delete(to)
    }
    outlet.line.then((line) => {
      this.#lines.set(line.id, line)
      onClose(line, () => {
        this.#lines.delete(line.id)
        forget()
      })
    }, forget)
    return outlet
  }
}

interface Inlet {
  line: Promise<mediasoup.PipeTransport>
  streams: number
}

/** The lines from other hosts to one router. */
export class Inlets {
  readonly #router: Ended
  readonly #lines = new Map<string, Inlet>()
  /** Offers that are on their way. */
  #asked = 0

  constructor(router: Ended) {
    this.#router = router
  }

  /**
   * Brings a stream here. Resolves with its copy, which has the same id.
   * @throws {Refusal} @throws mediasoup's errors
   */
  async bring(
    producerId: string,
    source: StreamSource,
    times: PipeTimes,
  ): Promise<{ producer: mediasoup.Producer | mediasoup.DataProducer; demand: Demand }> {
    let into: mediasoup.Producer | mediasoup.DataProducer | undefined
    let isPaused: boolean | undefined
    let isClosed = false
    const [offer, inlet] = await this.#ask(source, producerId, (event) => {
      if (event === 'closed') isClosed = true
      else isPaused = event === 'paused'
      if (!into) return
      if (isClosed) into.close()
      else if ('kind' in into) followPause(into, isPaused ?? false)
    })
    const { streamId, media, data } = offer
    const letGo = once(() => {
      inlet.streams -= 1
      this.#closeUnused()
    })
    try {
      const line = await inlet.line
      into = media
        ? await line.produce({
            id: producerId,
            kind: media.kind,
            rtpParameters: media.rtpParameters as mediasoup.RtpParameters,
            paused: media.paused,
          })
        : await line.produceData({ id: producerId, ...data! })
      const producer = into
      const demand = new Demand(
        times,
        {
          // Fails only if the stream, or the way to its source, closes at this moment.
          flow: (flows) => void source.flow(streamId, flows).catch(() => undefined),
          close: () => producer.close(),
        },
        false,
      )
      onClose(producer, () => {
        demand.end()
        letGo()
        if (!isClosed) source.close(streamId)
      })
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may have changed during an await
      if (isClosed || producer.closed || line.closed) {
        producer.close()
        throw closed('stream')
      }
      if ('kind' in producer && isPaused !== undefined && isPaused !== producer.paused)
        followPause(producer, isPaused)
      return { producer, demand }
    } catch (error) {
      if (!into) {
        letGo()
        source.close(streamId)
      }
      throw error
    }
  }

  /** Has a stream offered, and finds the line that it comes on. */
  async #ask(
    source: StreamSource,
    producerId: string,
    hear: (event: OfferEvent) => void,
  ): Promise<[StreamOffer, Inlet]> {
    this.#asked += 1
    try {
      const offer = await source.offer(producerId, this.#router.id, hear)
      const { lineId, end } = offer
      const inlet = this.#lines.get(lineId) ?? { line: this.#open(lineId, end, source), streams: 0 }
      this.#lines.set(lineId, inlet)
      inlet.streams += 1
      return [offer, inlet]
    } finally {
      this.#asked -= 1
      this.#closeUnused()
    }
  }

  /** A line whose last stream ended stays while another stream may be offered on it: its source connects it only once. */
  #closeUnused(): void {
    if (this.#asked > 0) return
    for (const [lineId, { line, streams }] of this.#lines) {
      if (streams > 0) continue
      this.#lines.delete(lineId)
      line.then(
        (open) => open.close(),
        () => undefined,
      )
    }
  }

  async #open(lineId: string, end: LineEnd, source: StreamSource): Promise<mediasoup.PipeTransport> {
    const line = await this.#router.openHostLine()
    try {
      const { localAddress: ip, localPort: port } = line.tuple
      const srtpParameters = end.srtpParameters as mediasoup.SrtpParameters
      await Promise.all([
        line.connect({ ip: end.ip, port: end.port, srtpParameters }),
        source.connect(lineId, { ip, port, srtpParameters: line.srtpParameters! }),
      ])
      return line
    } catch (error) {
      line.close()
      throw error
    }
  }
}
