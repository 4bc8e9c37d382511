/** The text of a recording: its sound is cut into utterances as that of a meeting is. Who speaks is not known. */
import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import type { OutputFile, RecordingToTranscribe } from '../output.ts'
import { SAMPLE_RATE } from './opus.ts'
import { RecogniserError } from './recogniser.ts'
import { writeSummary } from './summary.ts'
import type { Line } from './texts.ts'
import { writeTranscript } from './transcript-files.ts'
import type { Means } from './transcription.ts'
import { Utterances, type Utterance } from './utterances.ts'

const SAMPLES_PER_MS = SAMPLE_RATE / 1000
/** Utterances that are recognised at once. */
const AT_ONCE = 2

/** @throws {RecogniserError} */
export async function transcribeFile(
  path: string,
  { folder, startedAt, config, participantId = '', participantName = '', signal }: RecordingToTranscribe,
  { recogniser, summariser, queue, log }: Means,
): Promise<OutputFile[]> {
  const { language, modelId, summary } = config
  const lines: Line[] = []
  let endedAt = startedAt

  async function recognise({ at, samples }: Utterance): Promise<void> {
    const recognising = queue.run(() => recogniser.recognise(samples, { language, modelId, signal }))
    if (!recognising) throw new RecogniserError('Too much speech waits to be recognised.')
    const text = await recognising
    if (text === '') return
    const timestamp = startedAt + Math.round(at / SAMPLES_PER_MS)
    const id = String(lines.length + 1)
    const until = timestamp + Math.round(samples.length / SAMPLES_PER_MS)
    lines.push({ id, participantId, participantName, text, timestamp, endedAt: until })
  }

  const utterances = new Utterances()
  let waiting: Utterance[] = []
  for await (const samples of soundOf(path, signal)) {
    endedAt += samples.length / SAMPLES_PER_MS
    waiting.push(...utterances.push(samples))
    // The reading waits meanwhile: no more than a few utterances are in memory.
    for (; waiting.length >= AT_ONCE; waiting = waiting.slice(AT_ONCE))
      await Promise.all(waiting.slice(0, AT_ONCE).map(recognise))
  }
  const last = utterances.end()
  await Promise.all([...waiting, ...(last ? [last] : [])].map(recognise))

  const transcribed = { startedAt, endedAt: Math.round(endedAt), lines }
  const files = await writeTranscript(folder, transcribed, ['json', 'srt', 'txt', 'tsv', 'vtt'])
  if (!summary || !summariser) return files
  try {
    return [...files, ...(await writeSummary(folder, transcribed, summariser, summary.prompt, signal))]
  } catch (error) {
    signal.throwIfAborted()
    log.warn({ err: error }, 'failed to summarise the transcript of a recording')
    return files
  }
}

/** @throws {RecogniserError} where ffmpeg is missing or reads no sound */
async function* soundOf(path: string, signal: AbortSignal): AsyncGenerator<Int16Array> {
  const format = ['-vn', '-ac', '1', '-ar', String(SAMPLE_RATE), '-f', 's16le', 'pipe:1']
  const ffmpeg = spawn(
    'ffmpeg',
    ['-nostdin', '-loglevel', 'error', '-protocol_whitelist', 'file,pipe', '-i', `file:${path}`, ...format],
    { stdio: ['ignore', 'pipe', 'ignore'], signal, killSignal: 'SIGKILL' },
  )
  // Meetings that go on come first.
  if (ffmpeg.pid !== undefined) setPriority(ffmpeg.pid, constants.priority.PRIORITY_BELOW_NORMAL)
  const ended = new Promise<Error | number | null>((resolve) => {
    ffmpeg.once('error', resolve)
    ffmpeg.once('close', resolve)
  })
  let rest = Buffer.alloc(0)
  try {
    for await (const part of ffmpeg.stdout as AsyncIterable<Buffer>) {
      const all = Buffer.concat([rest, part])
      const samples = new Int16Array(all.length >> 1)
      for (let index = 0; index < samples.length; index += 1) samples[index] = all.readInt16LE(index * 2)
      rest = all.subarray(samples.length * 2)
      yield samples
    }
    const end = await ended
    signal.throwIfAborted()
    if (end instanceof Error)
      throw new RecogniserError('Recordings are transcribed by ffmpeg, which cannot be run: install it.', {
        permanent: true,
        cause: end,
      })
    if (end !== 0) throw new RecogniserError('The recording has no sound that ffmpeg can read.')
  } finally {
    ffmpeg.kill('SIGKILL')
  }
}
