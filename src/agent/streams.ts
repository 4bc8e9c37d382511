/** What a program receives of a participant: sound as packets or samples, video as encoded frames. */
import { Showing, type SentSizes } from '../client/showing.ts'
import type { StreamKind } from '../protocol/media.ts'
import { videoCodecOf, FrameJoiner, type TimedFrame } from '../rtp/frames.ts'
import { parseRtp, Unwrapped, type RtpPacket } from '../rtp/packet.ts'
import { annexB } from '../rtp/payloads.ts'
import { ReorderBuffer, type Ordered } from '../rtp/reorder.ts'
import { PcmReading, type OpusPacket, type PcmFrame, type PcmOptions } from './opus.ts'
import { Queue, type Reading } from './reading.ts'

export type ReceivedCodec = 'opus' | 'vp8' | 'vp9' | 'h264' | 'av1'

/** One encoded frame of video. H264 has start codes, and the parameter sets before each key frame. */
export interface VideoFrame {
  codec: ReceivedCodec
  data: Uint8Array
  /** Whether it can be decoded without earlier frames. The first frame that is read always can. */
  isKey: boolean
  /** Of the picture; in key frames of VP8 and H264. */
  size?: { width: number; height: number }
  /** Position on the sender's clock, in ms since the first frame of this stream. */
  atMs: number
  /** When its first packet arrived, in ms since the epoch. */
  arrivedAt: number
}

export interface ReadOptions {
  /** The most that waits for a slow reader; when it is full, the oldest is dropped. Default: a second of sound. */
  buffer?: number
}

export interface FrameOptions extends ReadOptions {
  /** How wide the picture should be at least, in px, if the sender offers several sizes. Default: the largest. */
  width?: number
}

/** A second of sound, and two of video. */
const [SOUND_BUFFER, VIDEO_BUFFER] = [50, 60]
/** How long a missing packet is waited for: sound is not requested again, and nobody wants to hear it late. */
const SOUND_WAIT_MS = 60
const LARGEST = 10_000
/** Key frames are requested at most this often. */
const KEY_FRAME_EVERY_MS = 500

/** What a stream needs of the transport that it arrives over. */
export interface Source {
  id: string
  participantId: string
  kind: StreamKind
  codec: ReceivedCodec
  mimeType: string
  clockRate: number
  sent: SentSizes
  request: (method: string, data: object) => Promise<unknown>
  /** Decrypts a packet; undefined if that fails. */
  open: (packet: Buffer) => Buffer | undefined
  requestKeyFrame: () => void
  requestAgain: (sequences: number[]) => void
}

type Taking<T> = (item: T) => void

/** Nothing of it is sent to us while nobody reads it. */
abstract class Received<T> {
  readonly id: string
  readonly participantId: string
  /** Nothing arrives: it is paused at its source, or by the server. */
  paused = false
  /** It is encrypted end to end, for which a program has no key: nothing of it can be read. */
  readonly locked: boolean
  protected readonly source: Source
  protected readonly showing: Showing
  readonly #takers = new Map<Taking<T>, () => void>()
  #isOver = false

  constructor(source: Source, locked: boolean) {
    this.source = source
    this.id = source.id
    this.participantId = source.participantId
    this.locked = locked
    this.showing = new Showing({ consumerId: source.id, sent: source.sent, request: source.request })
    this.showing.show(0)
  }

  /** Takes a packet as it came, encrypted. */
  hear(packet: Buffer, now: number): void {
    if (this.#takers.size === 0) return
    const rtp = parsed(this.source.open(packet))
    if (rtp) this.push(rtp, now)
  }

  protected abstract push(packet: RtpPacket, now: number): void
  /** Begins anew, as the next packet follows no other. */
  protected abstract restart(): void

  /** @param end called when the stream ends. Returns a function that stops */
  subscribe(take: Taking<T>, end: () => void, width = LARGEST): () => void {
    if (this.#isOver || this.locked) {
      end()
      return () => undefined
    }
    if (this.#takers.size === 0) this.restart()
    this.#takers.set(take, end)
    this.showing.show(width)
    return () => {
      if (this.#takers.delete(take) && this.#takers.size === 0 && !this.#isOver) this.showing.show(0)
    }
  }

  protected give(item: T): void {
    for (const take of [...this.#takers.keys()]) take(item)
  }

  /** The server closed it. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.showing.end()
    const ends = [...this.#takers.values()]
    this.#takers.clear()
    for (const end of ends) end()
  }
}

/** The sound of a participant: a microphone, or what is heard of a shared screen. */
export class SoundStream extends Received<OpusPacket> {
  readonly kind: 'audio' | 'shareAudio'
  #order = new ReorderBuffer(SOUND_WAIT_MS)
  #timestamps = new Unwrapped(32)
  #sequences = new Unwrapped(16)
  #first: number | undefined
  #last: number | undefined

  constructor(source: Source, locked: boolean) {
    super(source, locked)
    this.kind = source.kind as 'audio' | 'shareAudio'
  }

  /** Raw Opus, as it was sent. */
  packets(options: ReadOptions = {}): Reading<OpusPacket> {
    return readSound((take, end) => this.subscribe(take, end), options)
  }

  /** Decoded sound. */
  pcm(options: PcmOptions & ReadOptions = {}): Reading<PcmFrame> {
    return new PcmReading(this.packets(options), options)
  }

  protected restart(): void {
    this.#order = new ReorderBuffer(SOUND_WAIT_MS)
    this.#last = undefined
  }

  protected push(packet: RtpPacket, now: number): void {
    const take = (ordered: Ordered): void => this.#take(ordered)
    this.#order.push(packet, now, take)
    this.#order.tick(now, take)
  }

  #take({ packet, arrivedAt }: Ordered): void {
    const ticks = this.#timestamps.of(packet.timestamp)
    const sequence = this.#sequences.of(packet.sequence)
    const missing = this.#last === undefined ? 0 : Math.max(0, sequence - this.#last - 1)
    this.#last = sequence
    this.#first ??= ticks
    const atMs = ((ticks - this.#first) * 1000) / this.source.clockRate
    this.give({ data: packet.payload, atMs, arrivedAt: epochOf(arrivedAt), missing })
  }
}

/** The camera or the screen of a participant. */
export class VideoStream extends Received<VideoFrame> {
  readonly kind: 'video' | 'share'
  readonly codec: ReceivedCodec
  #order = new ReorderBuffer()
  #joiner: FrameJoiner | undefined
  #timestamps = new Unwrapped(32)
  #sequences = new Unwrapped(16)
  #highest: number | undefined
  #first: number | undefined
  #askedAt = -Infinity

  constructor(source: Source, locked: boolean) {
    super(source, locked)
    this.kind = source.kind as 'video' | 'share'
    this.codec = source.codec
  }

  /** Encoded frames, beginning with a key frame. */
  frames(options: FrameOptions = {}): Reading<VideoFrame> {
    return readFrames(
      (take, end) => this.subscribe(take, end, options.width),
      () => this.requestKeyFrame(),
      options,
    )
  }

  /** Asks the sender for a key frame, at most twice a second. */
  requestKeyFrame(): void {
    const now = performance.now()
    if (now - this.#askedAt < KEY_FRAME_EVERY_MS) return
    this.#askedAt = now
    this.source.requestKeyFrame()
  }

  /** Another reader needs a key frame too; the first one gets one from the server. */
  override subscribe(take: Taking<VideoFrame>, end: () => void, width?: number): () => void {
    const unsubscribe = super.subscribe(take, end, width)
    this.requestKeyFrame()
    return unsubscribe
  }

  protected restart(): void {
    const codec = videoCodecOf(this.source.mimeType)
    this.#joiner = codec && new FrameJoiner(codec)
    this.#order = new ReorderBuffer()
    this.#highest = undefined
  }

  protected push(packet: RtpPacket, now: number): void {
    this.#askAgain(packet.sequence)
    const take = (ordered: Ordered): void => {
      this.#joiner?.push(ordered, (frame) => this.#give(frame))
      if (ordered.isAfterLoss) this.requestKeyFrame()
    }
    this.#order.push(packet, now, take)
    this.#order.tick(now, take)
  }

  /** Packets that were skipped are requested once, at once. */
  #askAgain(short: number): void {
    const sequence = this.#sequences.of(short)
    const highest = this.#highest
    this.#highest = Math.max(highest ?? sequence, sequence)
    if (highest === undefined || sequence <= highest + 1 || sequence > highest + MOST_REQUESTED) return
    this.source.requestAgain(
      Array.from({ length: sequence - highest - 1 }, (_, at) => (highest + 1 + at) & 0xffff),
    )
  }

  #give({ data, isKey, size, timestamp, arrivedAt }: TimedFrame): void {
    const ticks = this.#timestamps.of(timestamp)
    this.#first ??= ticks
    this.give({
      codec: this.codec,
      data: this.codec === 'h264' ? annexB(data) : data,
      isKey,
      ...(size && { size }),
      atMs: ((ticks - this.#first) * 1000) / this.source.clockRate,
      arrivedAt: epochOf(arrivedAt),
    })
  }
}

/** More are not missing but lost for good. */
const MOST_REQUESTED = 100

export type AgentStream = SoundStream | VideoStream

export type Subscribe<T> = (take: Taking<T>, end: () => void) => () => void

export function readSound(
  subscribe: Subscribe<OpusPacket>,
  { buffer = SOUND_BUFFER }: ReadOptions,
): Reading<OpusPacket> {
  const subscription: { end?: () => void } = {}
  const queue = new Queue<OpusPacket>({
    size: buffer,
    onStop: () => subscription.end?.(),
    onDrop: (gone, next) => {
      if (next) next.missing += gone.reduce((sum, { missing }) => sum + missing + 1, 0)
    },
  })
  subscription.end = subscribe(
    (packet) => queue.push({ ...packet }),
    () => queue.end(),
  )
  return queue
}

export function readFrames(
  subscribe: Subscribe<VideoFrame>,
  requestKeyFrame: () => void,
  { buffer = VIDEO_BUFFER }: ReadOptions,
): Reading<VideoFrame> {
  const subscription: { end?: () => void } = {}
  let [needsKey, isBehind] = [true, false]
  const queue = new Queue<VideoFrame>({
    size: buffer,
    drops: 'all',
    onStop: () => subscription.end?.(),
    // What follows cannot be decoded without what was thrown away.
    onDrop: () => {
      needsKey = isBehind = true
      requestKeyFrame()
    },
  })
  subscription.end = subscribe(
    (frame) => {
      if (frame.isKey) needsKey = isBehind = false
      if (!needsKey) queue.push(frame)
      else if (isBehind) queue.skip()
    },
    () => queue.end(),
  )
  return queue
}

function parsed(packet: Buffer | undefined): RtpPacket | undefined {
  return packet && parseRtp(packet)
}

function epochOf(now: number): number {
  return performance.timeOrigin + now
}
