/** Decodes Opus (RFC 6716) for a recogniser: 16 kHz, one channel. */
import { OpusDecoder } from 'opus-decoder'

export const SAMPLE_RATE = 16_000
/** The RTP clock of Opus, whatever the sound's own rate is (RFC 7587). */
export const OPUS_CLOCK = 48_000

/** The duration of one frame, by the configuration in the packet's first byte. */
const FRAME_MS = [
  ...[10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60],
  ...[10, 20, 10, 20],
  ...[2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20],
]
const MAX_FRAME_BYTES = 1275
const MAX_PACKET_MS = 120

/**
 * The duration of a packet; undefined if it is not Opus, in which case it must not reach the decoder (RFC 6716, section
 * 3.4).
 */
export function packetMs(packet: Uint8Array): number | undefined {
  if (packet.length < 1) return undefined
  const frameMs = FRAME_MS[packet[0]! >> 3]!
  const frames = framesIn(packet)
  if (frames === undefined || frames * frameMs > MAX_PACKET_MS) return undefined
  return frames * frameMs
}

function framesIn(packet: Uint8Array): number | undefined {
  const bytes = packet.length - 1
  switch (packet[0]! & 3) {
    case 0:
      return bytes <= MAX_FRAME_BYTES ? 1 : undefined
    case 1:
      return bytes % 2 === 0 && bytes / 2 <= MAX_FRAME_BYTES ? 2 : undefined
    case 2: {
      const first = lengthAt(packet, 1)
      const second = first && bytes - first.size - first.length
      return second !== undefined && second >= 0 && second <= MAX_FRAME_BYTES ? 2 : undefined
    }
    default:
      return framesOfThree(packet)
  }
}

/** The duration of a packet with any number of frames, whose lengths and padding are inside. */
function framesOfThree(packet: Uint8Array): number | undefined {
  const count = packet[1]
  if (count === undefined) return undefined
  const frames = count & 0x3f
  if (frames === 0) return undefined
  let at = 2
  let padding = 0
  if (count & 0x40) {
    for (;;) {
      const more = packet[at++]
      if (more === undefined) return undefined
      padding += more === 255 ? 254 : more
      if (more !== 255) break
    }
  }
  if (count & 0x80) {
    for (let frame = 1; frame < frames; frame += 1) {
      const length = lengthAt(packet, at)
      if (!length) return undefined
      at += length.size
      padding += length.length
    }
    const last = packet.length - at - padding
    return last >= 0 && last <= MAX_FRAME_BYTES ? frames : undefined
  }
  const rest = packet.length - at - padding
  return rest >= 0 && rest % frames === 0 && rest / frames <= MAX_FRAME_BYTES ? frames : undefined
}

function lengthAt(packet: Uint8Array, at: number): { size: number; length: number } | undefined {
  const first = packet[at]
  if (first === undefined) return undefined
  if (first < 252) return { size: 1, length: first }
  const second = packet[at + 1]
  return second === undefined ? undefined : { size: 2, length: first + 4 * second }
}

/** The decoder of one stream. */
export class Decoder {
  readonly #wasm: OpusDecoder<16000>

  private constructor(wasm: OpusDecoder<16000>) {
    this.#wasm = wasm
  }

  static async open(): Promise<Decoder> {
    const wasm = new OpusDecoder({
      sampleRate: SAMPLE_RATE,
      channels: 1,
      streamCount: 1,
      coupledStreamCount: 0,
      channelMappingTable: [0],
      preSkip: 0,
    })
    await wasm.ready
    return new Decoder(wasm)
  }

  /** Returns nothing for an invalid packet. */
  decode(packet: Uint8Array): Int16Array {
    const [samples = new Float32Array()] = this.#wasm.decodeFrame(packet).channelData
    return Int16Array.from(samples, (value) =>
      Math.max(-32_768, Math.min(32_767, Math.round(value * 32_767))),
    )
  }

  close(): void {
    this.#wasm.free()
  }
}
