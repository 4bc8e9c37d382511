/** The text of a recording, made after it ended. Who speaks is unknown: the file has one sound for all. */
import { setTimeout as delay } from 'node:timers/promises'
import type { MediaLog } from '../../media/log.ts'
import type { OutputFile, RecordedSpeech } from '../output.ts'
import type { Queue } from './queue.ts'
import type { Line } from './texts.ts'
import { decodeSound } from './decode.ts'
import { SAMPLE_RATE } from './opus.ts'
import { RecogniserError, type Recogniser } from './recogniser.ts'
import { writeSummary, type Summariser } from './summary.ts'
import { writeTranscript } from './transcript-files.ts'
import { Utterances, type Utterance } from './utterances.ts'

export interface RecordedMeans {
  ffmpegBin: string
  recogniser: Recogniser
  summariser: Summariser | undefined
  /** Shared with the transcriptions that go on. */
  queue: Queue
  log: MediaLog
}

const SAMPLES_PER_MS = SAMPLE_RATE / 1000
/** So many failures in a row end it, as they do a transcription that goes on. */
const MOST_FAILURES = 5
/** While meetings need the recogniser. */
const BUSY_MS = 2000

/** @throws {RecogniserError} the recogniser cannot do it; {Error} the file cannot be read */
export async function transcribeRecorded(
  means: RecordedMeans,
  speech: RecordedSpeech,
): Promise<OutputFile[]> {
  const { folder, startedAt, endedAt, config, signal } = speech
  const lines: Line[] = []
  let failures = 0
  let failed: unknown
  for await (const utterance of utterancesOf(means.ffmpegBin, speech)) {
    try {
      const text = await textOf(means, utterance, speech)
      failures = 0
      if (text !== '') lines.push(lineOf(utterance, text, lines.length + 1, startedAt))
    } catch (error) {
      signal.throwIfAborted()
      means.log.warn({ err: error }, 'failed to recognise speech of a recording')
      failures += 1
      failed = error
      const isHopeless = !(error instanceof RecogniserError) || error.permanent
      if (isHopeless || failures >= MOST_FAILURES) throw error
    }
  }
  // What was heard in part is worth having; nothing at all looks as if nobody had spoken.
  if (failed !== undefined && lines.length === 0) throw failed as Error
  const transcribed = { startedAt, endedAt, lines }
  const files = await writeTranscript(folder, transcribed)
  if (!config.summary || !means.summariser) return files
  try {
    files.push(...(await writeSummary(folder, transcribed, means.summariser, config.summary.prompt, signal)))
  } catch (error) {
    signal.throwIfAborted()
    means.log.warn({ err: error }, 'failed to summarise the transcript of a recording')
  }
  return files
}

async function* utterancesOf(ffmpegBin: string, { path, signal }: RecordedSpeech): AsyncGenerator<Utterance> {
  const utterances = new Utterances()
  for await (const samples of decodeSound(ffmpegBin, path, signal)) yield* utterances.push(samples)
  const last = utterances.end()
  if (last) yield last
}

async function textOf(
  { recogniser, queue }: RecordedMeans,
  { samples }: Utterance,
  { config: { language, modelId }, signal }: RecordedSpeech,
): Promise<string> {
  for (;;) {
    const recognising = queue.run(() => recogniser.recognise(samples, { language, modelId, signal }))
    if (recognising) return recognising
    await delay(BUSY_MS, undefined, { signal })
  }
}

function lineOf({ at, samples }: Utterance, text: string, count: number, startedAt: number): Line {
  const timestamp = startedAt + Math.round(at / SAMPLES_PER_MS)
  const endedAt = timestamp + Math.round(samples.length / SAMPLES_PER_MS)
  return { id: String(count), participantId: '', participantName: '', text, timestamp, endedAt }
}
