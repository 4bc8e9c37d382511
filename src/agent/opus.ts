/** Opus (RFC 6716) by libopus: decodes what is received, and encodes what is sent. */
import {
  Application,
  createDecoder,
  createEncoder,
  type OpusDecoderHandle,
  type OpusEncoderHandle,
  type SampleRate,
} from 'libopus-wasm'
import { durationOf } from '../rtp/codecs/opus.ts'
import type { Reading } from './reading.ts'

export type { SampleRate }
export const sampleRates: readonly SampleRate[] = [8000, 12_000, 16_000, 24_000, 48_000]

/** One packet of sound, as it was sent. */
export interface OpusPacket {
  data: Uint8Array
  /** Position on the sender's clock, in ms since the first packet of this stream. */
  atMs: number
  /** When it arrived, in ms since the epoch. */
  arrivedAt: number
  /** How many packets are missing before it: lost on the way, or thrown away because they were not read in time. */
  missing: number
}

/** Decoded sound, usually 20 ms. */
export interface PcmFrame {
  /** Signed, of 16 bits; with two channels, the left one first. */
  samples: Int16Array
  sampleRate: SampleRate
  channels: 1 | 2
  /** Position on the sender's clock, in ms since the first packet of this stream. */
  atMs: number
  /** When its packet arrived, in ms since the epoch. */
  arrivedAt: number
  /** Its packet was lost, and the decoder guessed the sound. */
  isConcealed: boolean
}

export interface PcmOptions {
  /** Default 48000; what recognisers of speech take is usually 16000. */
  sampleRate?: SampleRate
  /** Default 1. */
  channels?: 1 | 2
}

/** A longer gap is silence for a listener too; it is not filled. */
const MOST_CONCEALED = 5

/** Decodes what it reads of packets. Packets wait, not sound: a slow reader costs little memory. */
export class PcmReading implements Reading<PcmFrame> {
  readonly #packets: Reading<OpusPacket>
  readonly #options: Required<PcmOptions>
  readonly #ready: PcmFrame[] = []
  #decoder: Promise<OpusDecoderHandle> | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(packets: Reading<OpusPacket>, { sampleRate = 48_000, channels = 1 }: PcmOptions = {}) {
    if (!sampleRates.includes(sampleRate))
      throw new RangeError(`The sample rate must be one of ${sampleRates.join(', ')}.`)
    this.#packets = packets
    this.#options = { sampleRate, channels }
  }

  get dropped(): number {
    return this.#packets.dropped
  }

  next(): Promise<IteratorResult<PcmFrame, undefined>> {
    const result = this.#last.then(() => this.#next())
    this.#last = result.catch(() => undefined)
    return result
  }

  async return(): Promise<IteratorResult<PcmFrame, undefined>> {
    await this.#packets.return?.()
    const decoder = await this.#decoder
    this.#decoder = undefined
    decoder?.free()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.return().then(() => undefined)
  }

  async #next(): Promise<IteratorResult<PcmFrame, undefined>> {
    for (;;) {
      const frame = this.#ready.shift()
      if (frame) return { value: frame, done: false }
      const { value: packet, done } = await this.#packets.next()
      if (done) return this.return()
      this.#decoder ??= createDecoder(this.#options)
      this.#ready.push(...decode(await this.#decoder, packet, this.#options))
    }
  }
}

function decode(
  decoder: OpusDecoderHandle,
  { data, atMs, arrivedAt, missing }: OpusPacket,
  { sampleRate, channels }: Required<PcmOptions>,
): PcmFrame[] {
  const durationMs = durationOf(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  const frameSize = (durationMs * sampleRate) / 1000
  const frame = (samples: Int16Array, before: number, isConcealed: boolean): PcmFrame => ({
    samples,
    sampleRate,
    channels,
    atMs: atMs - before * durationMs,
    arrivedAt,
    isConcealed,
  })
  const frames: PcmFrame[] = []
  try {
    if (missing > 0 && missing <= MOST_CONCEALED) {
      for (let before = missing; before > 1; before--)
        frames.push(frame(decoder.decodePacketLoss(frameSize), before, true))
      // The packet may have a copy of the one before it, in lower quality.
      frames.push(frame(decoder.decode(data, { decodeFec: true, frameSize }), 1, true))
    }
    frames.push(frame(decoder.decode(data), 0, false))
  } catch {
    // Whoever sends something else than Opus is not heard.
  }
  return frames
}

export interface EncoderOptions {
  sampleRate: SampleRate
  channels: 1 | 2
  /** Bits per second. */
  bitrate: number
}

/** Duration of the packets that we send. */
export const PACKET_MS = 20

/** Encodes 20 ms at a time. */
export async function openEncoder({
  sampleRate,
  channels,
  bitrate,
}: EncoderOptions): Promise<OpusEncoderHandle> {
  return createEncoder({
    sampleRate,
    channels,
    bitrate,
    application: channels === 2 ? Application.Audio : Application.Voip,
    // Half of the highest: the difference is not heard at these rates, and costs twice as much.
    complexity: 5,
    fec: true,
    packetLossPercent: 5,
    frameSize: (PACKET_MS * sampleRate) / 1000,
  })
}
