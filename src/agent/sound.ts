/** Turns what an app publishes as sound into packets of Opus. */
import { extname } from 'node:path'
import { durationOf } from '../rtp/codecs/opus.ts'
import { MeetingError } from '../client/errors.ts'
import { readOgg } from './files/ogg.ts'
import { invalidFile } from './files/read.ts'
import { readWav } from './files/wav.ts'
import { readWebm } from './files/webm.ts'
import { levelOf } from './loudness.ts'
import { openEncoder, PACKET_MS, sampleRates, type SampleRate } from './opus.ts'
import { Resampler } from './resample.ts'

/** Samples of 16 bits with their format in the options, or frames with their own, as they are read of a stream. */
export type PcmChunk = Int16Array | { samples: Int16Array; sampleRate: number; channels: 1 | 2 }

export interface SoundOptions {
  /** Of samples that do not say so themselves. Default 48000; any rate from 8000 to 192000. */
  sampleRate?: number
  /** Of samples that do not say so themselves. Default 1. */
  channels?: 1 | 2
  /** Bits per second of what is encoded. Default 32000 for one channel, 96000 for two. */
  bitrate?: number
}

/** A packet of Opus that is to be sent. */
export interface SoundPacket {
  data: Uint8Array
  durationMs: number
  /** In -dBov; by it the server tells who speaks. */
  level: number
}

/** What is assumed of sound that was encoded elsewhere, as long as it is more than the marks of silence. */
const [SPEECH_LEVEL, SILENT_LEVEL, SILENT_BYTES] = [30, 127, 3]
const [LOWEST_RATE, HIGHEST_RATE] = [8000, 192_000]

/**
 * @param source a path of a WAV, Ogg or WebM file, or samples
 * @throws {MeetingError} INVALID_SOUND, UNKNOWN_FILE, FILE_UNREADABLE, INVALID_FILE
 */
export async function soundPackets(
  source: string | AsyncIterable<PcmChunk> | Iterable<PcmChunk>,
  options: SoundOptions,
): Promise<AsyncIterable<SoundPacket>> {
  formatOf(new Int16Array(), options)
  return typeof source === 'string' ? begun(packetsOfFile(source, options)) : encoded(source, options)
}

/** Reads the first packet, so that a file that cannot be played is refused before anybody is told of a stream. */
async function begun(packets: AsyncGenerator<SoundPacket>): Promise<AsyncIterable<SoundPacket>> {
  const opened = (await packets.next()) as IteratorResult<SoundPacket, unknown>
  if (opened.done) throw invalidFile('it has no sound')
  const first = opened.value
  return (async function* () {
    try {
      yield first
      yield* packets
    } finally {
      await packets.return(undefined)
    }
  })()
}

function packetsOfFile(source: string, options: SoundOptions): AsyncGenerator<SoundPacket> {
  switch (extname(source).toLowerCase()) {
    case '.wav':
      return encoded(readWav(source), options)
    case '.ogg':
    case '.opus':
      return asSent(readOgg(source))
    case '.webm':
    case '.mkv':
      return asSent(opusOf(source))
    default:
      throw new MeetingError(
        0,
        'UNKNOWN_FILE',
        'Sound is published from .wav, .ogg, .opus, .webm and .mkv files.',
      )
  }
}

async function* opusOf(path: string): AsyncGenerator<Uint8Array> {
  for await (const { data } of readWebm(path, ['A_OPUS'])) yield data
}

async function* asSent(packets: AsyncIterable<Uint8Array>): AsyncGenerator<SoundPacket> {
  for await (const data of packets) {
    if (data.length === 0) continue
    const durationMs = durationOf(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
    yield { data, durationMs, level: data.length > SILENT_BYTES ? SPEECH_LEVEL : SILENT_LEVEL }
  }
}

async function* encoded(
  chunks: AsyncIterable<PcmChunk> | Iterable<PcmChunk>,
  options: SoundOptions,
): AsyncGenerator<SoundPacket> {
  let encoder: Encoder | undefined
  try {
    for await (const chunk of chunks) {
      const { samples, sampleRate, channels } = formatOf(chunk, options)
      if (encoder && !encoder.takes(sampleRate, channels)) {
        yield* encoder.end()
        encoder.close()
        encoder = undefined
      }
      encoder ??= await Encoder.open(sampleRate, channels, options.bitrate)
      yield* encoder.push(samples)
    }
    if (encoder) yield* encoder.end()
  } finally {
    encoder?.close()
  }
}

function formatOf(
  chunk: PcmChunk,
  { sampleRate = 48_000, channels = 1 }: SoundOptions,
): { samples: Int16Array; sampleRate: number; channels: 1 | 2 } {
  const format = chunk instanceof Int16Array ? { samples: chunk, sampleRate, channels } : chunk
  if (!(format.samples instanceof Int16Array))
    throw new MeetingError(
      0,
      'INVALID_SOUND',
      'Sound is published as an Int16Array, or as frames with `samples`.',
    )
  const isRate = Number.isInteger(format.sampleRate)
  if (!isRate || format.sampleRate < LOWEST_RATE || format.sampleRate > HIGHEST_RATE)
    throw new MeetingError(0, 'INVALID_SOUND', 'The sample rate must be a whole number from 8000 to 192000.')
  if (![1, 2].includes(format.channels))
    throw new MeetingError(0, 'INVALID_SOUND', 'Sound has one channel or two.')
  return format
}

/** Collects samples until there are enough for a packet. */
class Encoder {
  readonly #opus: Awaited<ReturnType<typeof openEncoder>>
  readonly #from: number
  readonly #resampler: Resampler | undefined
  readonly #frame: Int16Array
  #filled = 0

  private constructor(opus: Awaited<ReturnType<typeof openEncoder>>, from: number) {
    this.#opus = opus
    this.#from = from
    const { sampleRate, channels } = opus
    this.#resampler = from === sampleRate ? undefined : new Resampler(from, sampleRate, channels)
    this.#frame = new Int16Array((PACKET_MS * sampleRate * channels) / 1000)
  }

  static async open(
    from: number,
    channels: 1 | 2,
    bitrate = channels * channels * 24_000 + 8000,
  ): Promise<Encoder> {
    const sampleRate: SampleRate = sampleRates.find((rate) => rate === from) ?? 48_000
    return new Encoder(await openEncoder({ sampleRate, channels, bitrate }), from)
  }

  takes(sampleRate: number, channels: number): boolean {
    return sampleRate === this.#from && channels === this.#opus.channels
  }

  *push(samples: Int16Array): Generator<SoundPacket> {
    const ready = this.#resampler ? this.#resampler.push(samples) : samples
    for (let at = 0; at < ready.length;) {
      const part = ready.subarray(at, at + this.#frame.length - this.#filled)
      this.#frame.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled < this.#frame.length) return
      this.#filled = 0
      yield { data: this.#opus.encode(this.#frame), durationMs: PACKET_MS, level: levelOf(this.#frame) }
    }
  }

  /** The rest, with silence behind it. */
  *end(): Generator<SoundPacket> {
    if (this.#resampler) yield* this.push(this.#resampler.flush())
    if (this.#filled > 0) yield* this.push(new Int16Array(this.#frame.length - this.#filled))
  }

  close(): void {
    this.#opus.free()
  }
}
