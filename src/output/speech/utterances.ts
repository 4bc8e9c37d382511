/** Cuts sound into utterances: somebody speaks while it is louder than the noise of the room. */
import { SAMPLE_RATE } from './opus.ts'

/** A piece of speech. `at` counts samples from the beginning of the stream. */
export interface Utterance {
  at: number
  samples: Int16Array
}

const FRAME = SAMPLE_RATE / 50
const framesOf = (ms: number): number => ms / 20

/** Quieter sound is not speech, whatever the noise is. In decibels below full scale. */
const QUIETEST_DB = -52
/** How much louder than the noise speech must be. */
const ABOVE_NOISE_DB = 9
/** The upper limit of the noise level, so that a loud speaker does not count as noise. */
const LOUDEST_NOISE_DB = -30
/**
 * The noise level is the quietest of the last three spans of this length, because between syllables speech is as quiet
 * as the room.
 */
const NOISE_SPAN_FRAMES = framesOf(500)
const NOISE_AT_FIRST_DB = -60

/** The number of consecutive loud frames that start an utterance, so that a click does not. */
const BEGIN_FRAMES = framesOf(60)
/** The frames kept from before the start, because consonants are quiet. */
const LEAD_FRAMES = framesOf(300)
/** A pause of this length ends an utterance; this much of the pause is kept. */
const PAUSE_FRAMES = framesOf(700)
const TAIL_FRAMES = framesOf(300)
/** An utterance with less speech is dropped. */
const LEAST_FRAMES = framesOf(160)
/**
 * The longest utterance; recognisers of the Whisper family process 30 s. A longer one is cut at its quietest point, in
 * its last part.
 */
const LONGEST_FRAMES = framesOf(25_000)
const CUT_WITHIN_FRAMES = framesOf(5000)

/** The loudness of a frame in decibels below full scale. */
export function loudness(frame: Int16Array): number {
  let sum = 0
  for (const sample of frame) sum += sample * sample
  return 10 * Math.log10(sum / frame.length / 32_768 ** 2 + 1e-10)
}

export class Utterances {
  #rest = new Int16Array()
  /** The position of the next frame. */
  #at = 0
  readonly #noise = new Noise()
  /** The frames of the current utterance, or the last frames before the next one. */
  #frames: Frame[] = []
  #speaking = false
  /** The number of consecutive loud frames at the end of `#frames`. */
  #loudInRow = 0
  #quietInRow = 0

  get speaking(): boolean {
    return this.#speaking
  }

  /** Takes the next samples; returns the utterances that ended in them. */
  push(samples: Int16Array): Utterance[] {
    const all = new Int16Array(this.#rest.length + samples.length)
    all.set(this.#rest)
    all.set(samples, this.#rest.length)
    const ended: Utterance[] = []
    let from = 0
    for (; from + FRAME <= all.length; from += FRAME) {
      const utterance = this.#take(all.slice(from, from + FRAME))
      if (utterance) ended.push(utterance)
    }
    this.#rest = all.slice(from)
    return ended
  }

  /** The sound ended, or is interrupted. */
  end(): Utterance | undefined {
    this.#at += this.#rest.length
    this.#rest = new Int16Array()
    const utterance = this.#speaking ? this.#finish() : undefined
    this.#frames = []
    this.#loudInRow = 0
    return utterance
  }

  #take(samples: Int16Array): Utterance | undefined {
    const db = loudness(samples)
    this.#noise.hear(db)
    const loud = db > this.#noise.threshold
    this.#at += FRAME
    this.#frames.push({ samples, db })
    this.#loudInRow = loud ? this.#loudInRow + 1 : 0
    this.#quietInRow = loud ? 0 : this.#quietInRow + 1
    if (!this.#speaking) {
      if (this.#loudInRow >= BEGIN_FRAMES) this.#speaking = true
      else if (this.#frames.length >= LEAD_FRAMES + BEGIN_FRAMES) this.#frames.shift()
      return undefined
    }
    if (this.#quietInRow >= PAUSE_FRAMES) return this.#finish()
    return this.#frames.length >= LONGEST_FRAMES ? this.#cut() : undefined
  }

  #finish(): Utterance | undefined {
    const quiet = Math.max(0, this.#quietInRow - TAIL_FRAMES)
    const kept = this.#frames.slice(0, this.#frames.length - quiet)
    const dropped = this.#frames.length - kept.length
    this.#speaking = false
    this.#frames = []
    this.#loudInRow = 0
    return this.#utteranceOf(kept, this.#at - dropped * FRAME)
  }

  /** Returns the larger part, and continues with the rest. */
  #cut(): Utterance | undefined {
    let quietest = this.#frames.length - CUT_WITHIN_FRAMES
    for (let index = quietest; index < this.#frames.length; index += 1)
      if (this.#frames[index]!.db < this.#frames[quietest]!.db) quietest = index
    const kept = this.#frames.slice(0, quietest)
    this.#frames = this.#frames.slice(quietest)
    return this.#utteranceOf(kept, this.#at - this.#frames.length * FRAME)
  }

  #utteranceOf(frames: readonly Frame[], end: number): Utterance | undefined {
    // Use the current noise level: at first, the noise of a fan counts as speech.
    const { threshold } = this.#noise
    if (frames.filter(({ db }) => db > threshold).length < LEAST_FRAMES) return undefined
    const samples = new Int16Array(frames.length * FRAME)
    for (const [index, frame] of frames.entries()) samples.set(frame.samples, index * FRAME)
    return { at: end - samples.length, samples }
  }
}

interface Frame {
  samples: Int16Array
  db: number
}

class Noise {
  /** The quietest frame of each span, the current span last. */
  #spans = [NOISE_AT_FIRST_DB, NOISE_AT_FIRST_DB, NOISE_AT_FIRST_DB, Infinity]
  #frames = 0

  /** Louder frames are speech. */
  get threshold(): number {
    return Math.max(QUIETEST_DB, Math.min(LOUDEST_NOISE_DB, ...this.#spans) + ABOVE_NOISE_DB)
  }

  hear(db: number): void {
    this.#spans.push(Math.min(this.#spans.pop()!, db))
    this.#frames += 1
    if (this.#frames % NOISE_SPAN_FRAMES === 0) this.#spans = [...this.#spans.slice(1), Infinity]
  }
}
