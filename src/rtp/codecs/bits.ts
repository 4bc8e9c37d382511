/** Reads a bit stream; returns zeros after its end. */
export class BitReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  read(count: number): number {
    let value = 0
    for (let left = count; left > 0; left--, this.#at++)
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1)
    return value
  }

  /** Reads an Exp-Golomb code (H.264 section 9.1). */
  golomb(): number {
    let zeros = 0
    while (zeros < 32 && this.read(1) === 0) zeros++
    return 2 ** zeros - 1 + this.read(zeros)
  }

  signedGolomb(): number {
    const code = this.golomb()
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2
  }
}
