/** The sound of a file, as speech is recognised: one channel of 16 kHz, in order, as fast as it is read. */
import { readFfmpeg } from '../ffmpeg.ts'
import { SAMPLE_RATE } from './opus.ts'

const NO_SOUND = /matches no streams|does not contain any stream/

/** Nothing, where the file has no sound. @throws {Error} with what ffmpeg said last; the reason of `signal` */
export async function* decodeSound(
  ffmpegBin: string,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Int16Array> {
  signal.throwIfAborted()
  const { child, said, ended } = readFfmpeg(ffmpegBin, [
    // A playlist of ours names files alone.
    ...['-protocol_whitelist', 'file', '-i', path, '-map', '0:a:0'],
    // Silence is put in where sound is missing, so that times stay right.
    ...['-af', 'aresample=async=1000:first_pts=0', '-ac', '1', '-ar', String(SAMPLE_RATE)],
    ...['-f', 's16le', '-'],
  ])
  const end = (): boolean => child.kill('SIGKILL')
  signal.addEventListener('abort', end)
  try {
    let rest: Buffer = Buffer.alloc(0)
    for await (const part of child.stdout!) {
      const bytes = Buffer.concat([rest, part as Buffer])
      const even = bytes.length & ~1
      rest = bytes.subarray(even)
      const samples = new Int16Array(even / 2)
      for (let at = 0; at < samples.length; at += 1) samples[at] = bytes.readInt16LE(at * 2)
      yield samples
    }
    const problem = await ended
    signal.throwIfAborted()
    if (problem !== undefined && !NO_SOUND.test(said()))
      throw new Error(`ffmpeg failed: ${said() || problem}`)
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}
