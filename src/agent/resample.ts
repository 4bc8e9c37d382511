/** Changes the sample rate of sound, for files and recognisers that use another one than Opus. */

/** Zero crossings of the filter on each side; with these, what is folded back is below -60 dB. */
const HALF_WIDTH = 16
/** Of the lower one of both bands, so that the filter can fall off. */
const PASSED = 0.92

/** A windowed sinc filter, which keeps its state from one piece to the next. */
export class Resampler {
  readonly #ratio: number
  readonly #channels: number
  readonly #cutoff: number
  readonly #reach: number
  /** Samples that the next outputs need, by channel. */
  #kept: Float64Array[]
  /** Position of the next output, in samples of `#kept`. */
  #position: number

  constructor(from: number, to: number, channels: number) {
    this.#ratio = from / to
    this.#channels = channels
    this.#cutoff = Math.min(1, to / from) * PASSED
    this.#reach = Math.ceil(HALF_WIDTH / this.#cutoff)
    this.#kept = Array.from({ length: channels }, () => new Float64Array(this.#reach))
    this.#position = this.#reach
  }

  /** @param samples interleaved */
  push(samples: Int16Array): Int16Array {
    const channels = this.#channels
    const more = samples.length / channels
    this.#kept = this.#kept.map((kept, channel) => {
      const all = new Float64Array(kept.length + more)
      all.set(kept)
      for (let at = 0; at < more; at++) all[kept.length + at] = samples[at * channels + channel]!
      return all
    })
    const end = this.#kept[0]!.length - this.#reach
    const count = Math.max(0, Math.ceil((end - this.#position) / this.#ratio))
    const out = new Int16Array(count * channels)
    for (let at = 0; at < count; at++) {
      const position = this.#position + at * this.#ratio
      for (let channel = 0; channel < channels; channel++)
        out[at * channels + channel] = Math.max(
          -32_768,
          Math.min(32_767, Math.round(this.#at(this.#kept[channel]!, position))),
        )
    }
    this.#position += count * this.#ratio
    const gone = Math.floor(this.#position) - this.#reach
    this.#kept = this.#kept.map((kept) => kept.slice(gone))
    this.#position -= gone
    return out
  }

  /** What the end of the sound still gives. */
  flush(): Int16Array {
    return this.push(new Int16Array(this.#reach * this.#channels))
  }

  #at(kept: Float64Array, position: number): number {
    const [first, last] = [Math.ceil(position - this.#reach), Math.floor(position + this.#reach)]
    let sum = 0
    for (let at = first; at <= last; at++) {
      const x = (at - position) * this.#cutoff
      // Hann's window over a sinc.
      const window = 0.5 + 0.5 * Math.cos((Math.PI * (at - position)) / this.#reach)
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
      sum += (kept[at] ?? 0) * sinc * window * this.#cutoff
    }
    return sum
  }
}
