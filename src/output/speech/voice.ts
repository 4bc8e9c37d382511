/** One stream of a participant: takes its packets, and gives out what was said in it and when. */
import type { Tap } from '../../media/sfu.ts'
import { Decoder, OPUS_CLOCK, packetMs, SAMPLE_RATE } from './opus.ts'
import { parseRtp } from '../rtp.ts'
import { Reorder, ticksBetween, type SpeechPacket } from './reorder.ts'
import { Utterances, type Utterance } from './utterances.ts'

/** `startedAt` and `endedAt` in ms since the epoch. */
export interface Said {
  startedAt: number
  endedAt: number
  samples: Int16Array
}

/** A gap up to this is silence; a longer one is a new beginning. */
const MAX_GAP_MS = 1500
/** After this without a packet nobody speaks: a stream may stop sending in silence (Opus DTX), and at a pause. */
const SILENT_MS = 1000
/** The clocks of sender and server may drift apart so far. */
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
  /** When the first sample of `#utterances` was said, and the RTP timestamp of what comes next. */
  #line: { beganAt: number; next: number; lastAt: number; samples: number } | undefined
  #closed = false

  /** The tap is closed with it, also where this fails. */
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

  /** Gives out what was being said. Idempotent. */
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
      // A sender that began to count anew; single packets that are late do not come this far.
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

  /** How much later than by its timestamps the sound arrives. */
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
