/** Pipes streams from the router of their sender to another router on which somebody receives them. */
import type { types as mediasoup } from 'mediasoup'
import { ownLoopback } from '../../loopback.ts'
import { SOCKET_BUFFER_BYTES } from '../ports.ts'
import { closed } from '../refusals.ts'

/** How long an unused pipe is kept, so that a client that briefly stops watching does not wait for a new one. */
export interface PipeTimes {
  /** The pipe pauses after nobody on the other side has watched it for this time. */
  pauseMs: number
  /** The pipe closes after nobody on the other side has consumed it for this time. */
  closeMs: number
}

export const PIPE_TIMES: PipeTimes = { pauseMs: 5000, closeMs: 60_000 }

/** Two transports on this machine, one on each router, that send to each other. */
export interface Line {
  near: mediasoup.PipeTransport
  far: mediasoup.PipeTransport
}

const options: mediasoup.PipeTransportOptions = {
  listenInfo: {
    protocol: 'udp',
    ip: ownLoopback(),
    sendBufferSize: SOCKET_BUFFER_BYTES,
    recvBufferSize: SOCKET_BUFFER_BYTES,
  },
  enableSctp: true,
  // Even on this machine, the system drops packets that a busy worker does not read in time.
  enableRtx: true,
}

/** @throws mediasoup's errors */
export async function openLine(near: mediasoup.Router, far: mediasoup.Router): Promise<Line> {
  const made = await Promise.allSettled([near.createPipeTransport(options), far.createPipeTransport(options)])
  const line = made.map((one) => (one.status === 'fulfilled' ? one.value : undefined))
  const [one, other] = line
  try {
    const failed = made.find((each) => each.status === 'rejected')
    if (failed) throw failed.reason
    if (!one || !other) throw closed('meeting')
    const [near, far] = [one.tuple, other.tuple]
    await Promise.all([
      one.connect({ ip: far.localAddress, port: far.localPort }),
      other.connect({ ip: near.localAddress, port: near.localPort }),
    ])
    if (one.closed || other.closed) throw closed('meeting')
    one.observer.once('close', () => other.close())
    other.observer.once('close', () => one.close())
    return { near: one, far: other }
  } catch (error) {
    for (const transport of line) transport?.close()
    throw error
  }
}

/** A consumer of a piped stream; only its lifecycle matters to the pipe. */
export type Receiver = mediasoup.Consumer | mediasoup.DataConsumer

/** Who uses a piped stream, and so whether it must flow, and stay. */
export class Demand {
  readonly #times: PipeTimes
  readonly #pipe: { flow: (flows: boolean) => void; close: () => void }
  #holders = 0
  #watchers = 0
  #flows: boolean
  #isOver = false
  #pausing: NodeJS.Timeout | undefined
  #closing: NodeJS.Timeout | undefined

  /** @param flows whether it flows at the beginning */
  constructor(times: PipeTimes, pipe: { flow: (flows: boolean) => void; close: () => void }, flows: boolean) {
    this.#times = times
    this.#pipe = pipe
    this.#flows = flows
    this.touch()
    this.#unwatched()
  }

  /** The pipe closed. */
  end(): void {
    this.#isOver = true
    clearTimeout(this.#pausing)
    clearTimeout(this.#closing)
  }

  /** Keeps the pipe for a consumer that is about to be created. */
  touch(): void {
    if (this.#holders > 0 || this.#isOver) return
    clearTimeout(this.#closing)
    this.#closing = setTimeout(() => this.#pipe.close(), this.#times.closeMs).unref()
  }

  /** Keeps the pipe open until this consumer closes, and flowing while it is not paused. */
  hold(receiver: Receiver): void {
    const letGo = this.keep()
    let stopWatching = receiver.paused ? undefined : this.watch()
    const ended = (): void => {
      stopWatching?.()
      stopWatching = undefined
    }
    if ('kind' in receiver) {
      receiver.observer.on('pause', ended)
      receiver.observer.on('resume', () => {
        stopWatching ??= this.watch()
      })
    }
    onClose(receiver, () => {
      ended()
      letGo()
    })
  }

  keep(): () => void {
    this.#holders += 1
    clearTimeout(this.#closing)
    return once(() => {
      this.#holders -= 1
      this.touch()
    })
  }

  watch(): () => void {
    this.#watchers += 1
    clearTimeout(this.#pausing)
    this.#flow(true)
    return once(() => {
      this.#watchers -= 1
      this.#unwatched()
    })
  }

  #unwatched(): void {
    if (this.#watchers > 0 || this.#isOver || !this.#flows) return
    clearTimeout(this.#pausing)
    this.#pausing = setTimeout(() => this.#flow(false), this.#times.pauseMs).unref()
  }

  #flow(flows: boolean): void {
    if (this.#flows === flows || this.#isOver) return
    this.#flows = flows
    this.#pipe.flow(flows)
  }
}

/** One stream that is piped to another router. */
export class PipedStream {
  /** The id of the producer on the other router. */
  readonly id: string
  readonly from: Receiver
  readonly demand: Demand
  readonly #into: mediasoup.Producer | mediasoup.DataProducer

  /** @throws mediasoup's errors */
  static async open(
    { near, far }: Line,
    producer: mediasoup.Producer | mediasoup.DataProducer,
    times: PipeTimes,
  ): Promise<PipedStream> {
    const isMedia = 'kind' in producer
    const from = await (isMedia
      ? near.consume({ producerId: producer.id })
      : near.consumeData({ dataProducerId: producer.id }))
    try {
      const into = await ('kind' in from
        ? far.produce({ kind: from.kind, rtpParameters: from.rtpParameters, paused: from.producerPaused })
        : far.produceData({
            sctpStreamParameters: from.sctpStreamParameters!,
            label: from.label,
            protocol: from.protocol,
          }))
      if (from.closed || producer.closed || into.closed) {
        into.close()
        throw closed('stream')
      }
      return new PipedStream(from, into, times)
    } catch (error) {
      from.close()
      throw error
    }
  }

  private constructor(from: Receiver, into: mediasoup.Producer | mediasoup.DataProducer, times: PipeTimes) {
    this.from = from
    this.#into = into
    this.id = into.id
    this.demand = new Demand(
      times,
      {
        flow: (flows) => {
          // Data pipes are never paused.
          if (!('kind' in from)) return
          const change = flows ? from.resume() : from.pause()
          // Fails only if the stream closes at this moment.
          change.catch(() => undefined)
        },
        close: () => into.close(),
      },
      true,
    )
    onClose(from, () => into.close())
    onClose(into, () => {
      from.close()
      this.demand.end()
    })
    if ('kind' in from && 'kind' in into) {
      // Receivers see only whether the stream is paused at its source, not whether the pipe is paused.
      const follow = (): void => followPause(into, from.producerPaused)
      from.on('producerpause', follow)
      from.on('producerresume', follow)
      if (from.producerPaused !== into.paused) follow()
    }
  }

  /** Calls the listener when the stream ends on either router. */
  onClose(listener: () => void): void {
    onClose(this.#into, listener)
  }
}

/** Pauses or resumes the copy of a stream as its source is. */
export function followPause(into: mediasoup.Producer, paused: boolean): void {
  const change = paused ? into.pause() : into.resume()
  // Fails only if the stream closes at this moment.
  change.catch(() => undefined)
}

export function once(act: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    act()
  }
}

/** Both types of observer have this event, but the compiler does not see it. */
export function onClose(
  made: { observer: { once(event: 'close', listener: () => void): unknown } },
  listener: () => void,
): void {
  made.observer.once('close', listener)
}
