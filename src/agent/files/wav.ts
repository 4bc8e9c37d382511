/** Reads WAV files: PCM of 8 to 32 bits, or floats. */
import { FileReader, invalidFile } from './read.ts'

export interface WavChunk {
  samples: Int16Array
  sampleRate: number
  channels: 1 | 2
}

interface Format {
  isFloat: boolean
  channels: number
  sampleRate: number
  bits: number
}

const [PCM, FLOAT, EXTENSIBLE] = [1, 3, 0xfffe]
/** Samples of each channel that are given out together. */
const CHUNK_SAMPLES = 4800

/** @throws {MeetingError} FILE_UNREADABLE, INVALID_FILE */
export async function* readWav(path: string): AsyncGenerator<WavChunk> {
  const file = await FileReader.open(path)
  try {
    const head = await file.read(12)
    if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE')
      throw invalidFile('it is not a WAV file')
    let format: Format | undefined
    for (;;) {
      const chunk = await file.read(8)
      if (chunk.length < 8) throw invalidFile('it has no sound')
      const [id, size] = [chunk.toString('latin1', 0, 4), chunk.readUInt32LE(4)]
      if (id === 'data') {
        if (!format) throw invalidFile('its format is not said')
        yield* samplesOf(file, size, format)
        return
      }
      if (id === 'fmt ') {
        format = formatOf(await file.read(size))
        await file.skip(size & 1)
      } else await file.skip(size + (size & 1))
    }
  } finally {
    await file.close()
  }
}

function formatOf(bytes: Buffer): Format {
  if (bytes.length < 16) throw invalidFile('its format is cut off')
  const stated = bytes.readUInt16LE(0)
  const code = stated === EXTENSIBLE && bytes.length >= 26 ? bytes.readUInt16LE(24) : stated
  const format = {
    isFloat: code === FLOAT,
    channels: bytes.readUInt16LE(2),
    sampleRate: bytes.readUInt32LE(4),
    bits: bytes.readUInt16LE(14),
  }
  const isKnown = format.isFloat ? format.bits === 32 : code === PCM && [8, 16, 24, 32].includes(format.bits)
  if (!isKnown) throw invalidFile('its samples are neither PCM nor floats of 32 bits')
  if (format.channels < 1 || format.channels > 2) throw invalidFile('it has more than two channels')
  return format
}

/** @param size as the file says; a program that wrote into a pipe did not know it */
async function* samplesOf(file: FileReader, size: number, format: Format): AsyncGenerator<WavChunk> {
  const { channels, sampleRate, bits } = format
  const sampleBytes = bits / 8
  const frameBytes = sampleBytes * channels
  for (let left = size; left > 0;) {
    const bytes = await file.read(Math.min(left, CHUNK_SAMPLES * frameBytes))
    const frames = Math.floor(bytes.length / frameBytes)
    if (frames === 0) return
    left -= bytes.length
    const samples = new Int16Array(frames * channels)
    for (let at = 0; at < samples.length; at++) samples[at] = sampleAt(bytes, at * sampleBytes, format)
    yield { samples, sampleRate, channels: channels as 1 | 2 }
  }
}

function sampleAt(bytes: Buffer, at: number, { isFloat, bits }: Format): number {
  if (isFloat) return Math.max(-32_768, Math.min(32_767, Math.round(bytes.readFloatLE(at) * 32_767)))
  if (bits === 8) return (bytes[at]! - 128) << 8
  // The upper 16 bits.
  return bytes.readInt16LE(at + bits / 8 - 2)
}
