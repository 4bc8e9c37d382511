/** When what an app publishes is due. Objects without timers: `tick` says what time it is. */
import { payloadsOf, type PictureCodec, type PictureFrame } from './picture.ts'
import type { SoundPacket } from './sound.ts'

/** Takes what is due, and sends it. */
export interface Schedule<T> {
  /** How much is taken from the source in advance. */
  isFull: () => boolean
  add: (item: T) => void
  /** Called every few ms while there is a connection. */
  tick: (now: number, send: Send) => void
  /** The source has ended. */
  end: () => void
  /** Nothing is left to be sent. */
  isEmpty: () => boolean
  /** There was no connection for a while, or this is the first. */
  resume: () => void
  dropped: () => number
}

export interface Sent {
  payload: Buffer
  timestamp: number
  marker: boolean
  level?: number
}
type Send = (packet: Sent) => void

/** How much sound is taken in advance, and how much is waited for before the first packet, so that a live source may be uneven. */
const [MOST_AHEAD_MS, CUSHION_MS] = [200, 40]
/** What is later than this is not sent any more: listeners would hear it too late. */
const MOST_BEHIND_MS = 200
const OPUS_TICKS_PER_MS = 48

/** Sends packets of sound one after the other, each when the one before it is over. */
export class SoundSchedule implements Schedule<SoundPacket> {
  readonly #queue: SoundPacket[] = []
  #queuedMs = 0
  #hasEnded = false
  #dueAt: number | undefined
  #timestamp = 0
  #lastAt: number | undefined
  #dropped = 0

  isFull = (): boolean => this.#queuedMs >= MOST_AHEAD_MS
  isEmpty = (): boolean => this.#hasEnded && this.#queue.length === 0
  dropped = (): number => this.#dropped

  add(packet: SoundPacket): void {
    this.#queue.push(packet)
    this.#queuedMs += packet.durationMs
  }

  end(): void {
    this.#hasEnded = true
  }

  resume(): void {
    this.#dueAt = undefined
  }

  tick(now: number, send: Send): void {
    let isFirst = this.#dueAt === undefined && (this.#queuedMs >= CUSHION_MS || this.#hasEnded)
    if (isFirst) this.#dueAt = now
    while (this.#dueAt !== undefined && this.#dueAt <= now) {
      const packet = this.#queue.shift()
      if (!packet) {
        // The source is late: what comes next begins anew.
        this.#dueAt = undefined
        return
      }
      this.#queuedMs -= packet.durationMs
      if (isFirst && this.#lastAt !== undefined) {
        const pauseMs = Math.max(0, now - this.#lastAt)
        this.#timestamp += Math.round(pauseMs / 20) * 20 * OPUS_TICKS_PER_MS
      }
      const isTooLate = now - this.#dueAt > MOST_BEHIND_MS
      if (isTooLate) this.#dropped++
      else
        send({
          payload: Buffer.from(packet.data.buffer, packet.data.byteOffset, packet.data.byteLength),
          timestamp: this.#timestamp,
          marker: isFirst,
          level: packet.level,
        })
      isFirst = false
      this.#timestamp += packet.durationMs * OPUS_TICKS_PER_MS
      this.#dueAt += packet.durationMs
      this.#lastAt = this.#dueAt
    }
  }
}

const VIDEO_TICKS_PER_MS = 90
const MOST_FRAMES_AHEAD = 5

/** Sends frames when they are due. */
export class PictureSchedule implements Schedule<PictureFrame> {
  readonly #codec: PictureCodec
  readonly #queue: PictureFrame[] = []
  #hasEnded = false
  /** When the frame with the time 0 was due. */
  #beganAt: number | undefined
  #pictureId = Math.floor(Math.random() * 0x7fff)

  constructor(codec: PictureCodec) {
    this.#codec = codec
  }

  isFull = (): boolean => this.#queue.length >= MOST_FRAMES_AHEAD
  isEmpty = (): boolean => this.#hasEnded && this.#queue.length === 0
  dropped = (): number => 0

  add(frame: PictureFrame): void {
    this.#queue.push(frame)
  }

  end(): void {
    this.#hasEnded = true
  }

  resume(): void {
    this.#beganAt = undefined
  }

  tick(now: number, send: Send): void {
    for (let frame; (frame = this.#queue[0]);) {
      this.#beganAt ??= now - frame.atMs
      if (this.#beganAt + frame.atMs > now) return
      this.#queue.shift()
      const payloads = payloadsOf(this.#codec, frame.data, ++this.#pictureId)
      for (const [at, payload] of payloads.entries())
        send({
          payload,
          timestamp: Math.round(frame.atMs * VIDEO_TICKS_PER_MS),
          marker: at === payloads.length - 1,
        })
    }
  }
}
