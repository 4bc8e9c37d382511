import type { Tap } from '../../media/sfu.ts'
import type { SourceStream } from '../output.ts'
import { durationOf, OPUS_RATE } from '../../rtp/codecs/opus.ts'
import type { Size, VideoCodec } from '../../rtp/codecs/codec.ts'
import { FrameJoiner, videoCodecOf, type TimedFrame } from '../../rtp/frames.ts'
import { ReorderBuffer, type Ordered } from '../../rtp/reorder.ts'
import { parseRtp } from '../../rtp/packet.ts'
import { StreamClock } from './stream-clock.ts'
import type { RecorderOptions } from './recorder.ts'

/** A frame on our timeline. */
export interface ReceivedFrame {
  /** On our clock, in ms. */
  time: number
  data: Buffer
  isKey: boolean
  /** Of sound. */
  durationMs?: number
  /** Of a picture. */
  codec?: VideoCodec['id']
  size?: Size | undefined
  configuration?: Buffer | undefined
}

const KEY_FRAME_EVERY_MS = 10_000
/** Between two requests after a loss. */
const KEY_FRAME_AGAIN_MS = 1000
const VIDEO_RATE = 90_000
/** More is not kept of a stream that nobody takes frames from. */
const MOST_FRAMES = 5000
/** The highest; less is taken where there are not as many. */
const TOP_LAYER = 10

/** One stream of a participant, from a tap to frames in order. */
export class StreamReceiver {
  readonly producerId: string
  /** The last packet's arrival. */
  heardAt: number
  /** Since when nothing is sent: paused, withdrawn or closed; undefined while it is on. */
  offAt: number | undefined
  /** It will not come back. */
  isOver = false
  readonly #stream: SourceStream
  readonly #options: RecorderOptions
  readonly #reorder = new ReorderBuffer()
  #payloadType = -1
  #clock: StreamClock | undefined
  #joiner: FrameJoiner | undefined
  #codec: VideoCodec | undefined
  #tap: Tap | undefined
  #askedAt: number
  /** With times of the sender's clock. */
  #frames: (Omit<ReceivedFrame, 'time'> & { sentAt: number })[] = []

  constructor(stream: SourceStream, options: RecorderOptions) {
    this.producerId = stream.producerId
    this.#stream = stream
    this.#options = options
    this.heardAt = this.#askedAt = options.now()
  }

  /** Opens the tap and lets it flow. A stream that cannot be had is treated as one that is off. */
  async open(): Promise<void> {
    try {
      const tap = await this.#stream.open()
      this.#tap = tap
      if (this.isOver) {
        tap.close()
        return
      }
      const codec = tap.rtpParameters.codecs[0]
      this.#payloadType = codec?.payloadType ?? -1
      if (tap.kind === 'video') {
        this.#codec = videoCodecOf(codec?.mimeType ?? '')
        if (!this.#codec)
          throw new Error(`No recording takes ${codec?.mimeType ?? 'a stream without a codec'}.`)
        this.#joiner = new FrameJoiner(this.#codec)
      }
      this.#clock = new StreamClock(tap.kind === 'video' ? VIDEO_RATE : OPUS_RATE)
      tap.onPacket((packet) => this.#hear(packet))
      tap.on('producerClosed', () => this.end())
      tap.on('producerPaused', () => (this.offAt ??= this.#options.now()))
      tap.on('producerResumed', () => {
        if (this.isOver) return
        this.offAt = undefined
        this.heardAt = this.#options.now()
        this.#joiner?.interrupt()
      })
      if (tap.producerPaused) this.offAt = this.#options.now()
      if (tap.type !== 'simple')
        await tap.setPreferredLayers({ spatialLayer: TOP_LAYER, temporalLayer: TOP_LAYER })
      await tap.resume()
      this.#ask(this.#options.now())
    } catch (cause) {
      if (!this.isOver) {
        const { producerId, kind } = this.#stream
        this.#options.log.warn({ producerId, kind, err: cause }, 'leave a stream out of a recording')
      }
      this.end()
      this.#tap?.close()
    }
  }

  /** Nothing more is received; what came is still given out. */
  end(): void {
    if (this.isOver) return
    this.isOver = true
    this.offAt ??= this.#options.now()
    this.#reorder.flush((ordered) => this.#take(ordered))
    this.#tap?.close()
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0
  }

  /** What `take` will give first. */
  get first(): Omit<ReceivedFrame, 'time'> | undefined {
    return this.#frames[0]
  }

  /** Until where frames are known: the end of the last one; undefined when there is none. */
  get knownUntil(): number | undefined {
    const last = this.#frames.at(-1)
    return last && this.#clock!.timeOf(last.sentAt) + (last.durationMs ?? 0)
  }

  /** Frames up to a time of our clock, which are then forgotten. */
  take(until: number): ReceivedFrame[] {
    let count = 0
    while (count < this.#frames.length && this.#clock!.timeOf(this.#frames[count]!.sentAt) <= until) count++
    return this.#frames
      .splice(0, count)
      .map(({ sentAt, ...frame }) => ({ ...frame, time: this.#clock!.timeOf(sentAt) }))
  }

  /** To be called several times a second. */
  tick(now: number): void {
    this.#reorder.tick(now, (ordered) => this.#take(ordered))
    if (!this.#joiner || this.offAt !== undefined) return
    if (now - this.#askedAt >= (this.#joiner.needsKey ? KEY_FRAME_AGAIN_MS : KEY_FRAME_EVERY_MS))
      this.#ask(now)
  }

  #ask(now: number): void {
    if (!this.#joiner) return
    this.#askedAt = now
    this.#tap?.requestKeyFrame().catch((error: unknown) => {
      // It closed just now.
      if (!this.isOver) this.#options.log.warn({ err: error }, 'failed to ask for a key frame')
    })
  }

  #hear(bytes: Buffer): void {
    const packet = parseRtp(bytes)
    if (packet?.payloadType !== this.#payloadType || this.isOver) return
    this.heardAt = this.#options.now()
    this.#reorder.push(packet, this.heardAt, (ordered) => this.#take(ordered))
    // A loss that shows now is not to wait for the next look.
    if (this.#joiner?.needsKey) this.tick(this.heardAt)
  }

  #take(ordered: Ordered): void {
    const { packet, arrivedAt } = ordered
    if (!this.#joiner) {
      const sentAt = this.#clock!.hear(packet.timestamp, arrivedAt)
      this.#keep({ sentAt, data: packet.payload, isKey: true, durationMs: durationOf(packet.payload) })
    } else this.#joiner.push(ordered, (frame) => this.#keepPicture(frame))
  }

  #keepPicture({ timestamp, arrivedAt, ...frame }: TimedFrame): void {
    const sentAt = this.#clock!.hear(timestamp, arrivedAt)
    this.#keep({ ...frame, sentAt, codec: this.#codec!.id })
  }

  #keep(frame: Omit<ReceivedFrame, 'time'> & { sentAt: number }): void {
    this.#frames.push(frame)
    if (this.#frames.length > MOST_FRAMES) this.#frames.splice(0, this.#frames.length - MOST_FRAMES)
  }
}
