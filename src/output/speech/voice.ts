/** One stream of a participant: takes its packets, and returns the utterances with their times. */
import type { Tap } from '../../media/sfu.ts'
import { Decoder, OPUS_CLOCK, packetMs, SAMPLE_RATE } from './opus.ts'
import { parseRtp } from '../../rtp/packet.ts'
import { Reorder, ticksBetween, type SpeechPacket } from './reorder.ts'
import { Utterances, type Utterance } from './utterances.ts'

/** `startedAt` and `endedAt` in ms since the epoch. */
export interface Said {
  startedAt: number
  endedAt: number
  samples: Int16Array
}

/** A gap up to this length is silence; after a longer one the stream starts again. */
const MAX_GAP_MS = 1500
/**
 * After this time without a packet nobody speaks: a stream may stop sending in silence (Opus DTX) and while it is
 * paused.
 */
const SILENT_MS = 1000
/** How far the clocks of sender and server may drift apart. */
const MAX_DRIFT_MS = 500
const SAMPLES_PER_MS = SAMPLE_RATE / 1000
const TICKS_PER_MS = OPUS_CLOCK / 1000

export class Voice {
  readonly #tap: Tap
  readonly #decoder: Decoder
  readonly #now: () => number
  readonly #said: (said: Said) => void
  readonly #reorder = new Reorder()
  readonly #watch: NodeJS.Timeout
  #utterances = new Utterances()
  /** When the first sample of `#utterances` was said, and the RTP timestamp of the next packet. */
  #line: { beganAt: number; next: number; lastAt: number; samples: number } | undefined
  #closed = false

  /** The tap is closed with it, even if this call fails. */
  static async open(tap: Tap, now: () => number, said: (said: Said) => void): Promise<Voice> {
    let voice: Voice | undefined
    try {
      voice = new Voice(tap, await Decoder.open(), now, said)
      await tap.resume()
      return voice
    } catch (error) {
      voice?.close()
      tap.close()
      throw error
    }
  }

  private constructor(tap: Tap, decoder: Decoder, now: () => number, said: (said: Said) => void) {
    this.#tap = tap
    this.#decoder = decoder
    this.#now = now
    this.#said = said
    this.#watch = setInterval(() => this.#endIfSilent(), SILENT_MS / 2)
    this.#watch.unref()
    tap.onPacket((packet) => {
      const read = parseRtp(packet)
      if (!read || this.#closed) return
      for (const next of this.#reorder.push(read)) this.#hear(next)
    })
  }

  /** Returns the unfinished utterance. Idempotent. */
  close(): void {
    if (this.#closed) return
    for (const packet of this.#reorder.flush()) this.#hear(packet)
    this.#end()
    this.#closed = true
    clearInterval(this.#watch)
    this.#tap.close()
    this.#decoder.close()
  }

  #hear({ payload, timestamp }: SpeechPacket): void {
    const lengthMs = packetMs(payload)
    if (lengthMs === undefined) return
    const now = this.#now()
    const gapMs = this.#line ? ticksBetween(this.#line.next, timestamp) / TICKS_PER_MS : 0
    if (gapMs < -lengthMs / 2) {
      // The sender has restarted its timestamps; single late packets do not get here.
      this.#end()
    } else if (gapMs > MAX_GAP_MS || this.#driftMs(now) > MAX_DRIFT_MS + Math.max(0, gapMs)) {
      this.#end()
    }
    this.#line ??= { beganAt: now - lengthMs, next: timestamp, lastAt: now, samples: 0 }
    const silence = Math.max(0, ticksBetween(this.#line.next, timestamp)) / TICKS_PER_MS
    if (silence > 0) this.#take(new Int16Array(Math.round(silence * SAMPLES_PER_MS)))
    this.#take(this.#decoder.decode(payload))
    this.#line.next = (timestamp + lengthMs * TICKS_PER_MS) >>> 0
    this.#line.lastAt = now
  }

  /** How much later the sound arrives than its timestamps say. */
  #driftMs(now: number): number {
    return this.#line ? now - this.#line.beganAt - this.#line.samples / SAMPLES_PER_MS : 0
  }

  #take(samples: Int16Array): void {
    this.#line!.samples += samples.length
    for (const utterance of this.#utterances.push(samples)) this.#tell(utterance)
  }

  #endIfSilent(): void {
    if (!this.#line || this.#now() - this.#line.lastAt < SILENT_MS) return
    for (const packet of this.#reorder.flush()) this.#hear(packet)
    this.#end()
  }

  #end(): void {
    const utterance = this.#utterances.end()
    if (utterance) this.#tell(utterance)
    this.#utterances = new Utterances()
    this.#line = undefined
  }

  #tell({ at, samples }: Utterance): void {
    const startedAt = Math.round(this.#line!.beganAt + at / SAMPLES_PER_MS)
    this.#said({ startedAt, endedAt: startedAt + Math.round(samples.length / SAMPLES_PER_MS), samples })
  }
}
