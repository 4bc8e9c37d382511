/** The engine of transcriptions: speech of each participant becomes text, by an OpenAI-compatible endpoint. */
import type { MediaLog } from '../../media/log.ts'
import type {
  OutputEngine,
  OutputFile,
  OutputListener,
  OutputOrder,
  OutputRun,
  TranscriptionConfig,
} from '../output.ts'
import { Endpoint } from './endpoint.ts'
import { Queue } from './queue.ts'
import type { Summariser } from './summary.ts'
import { readTranscript, writeTranscript } from './transcript-files.ts'
import { Transcription, type Means } from './transcription.ts'

export interface TranscriberOptions {
  endpoint: { url: string; apiKey: string | undefined; model: string } | undefined
  /** The endpoint's language model for summaries. */
  summaryModel: string | undefined
  now: () => number
  random: () => number
  log: MediaLog
}

/** Requests to the recogniser at once, and what may wait for them: about two minutes of speech each. */
const AT_ONCE = 4
const MOST_WAITING = 200

const NO_RECOGNISER =
  'Transcription needs a recogniser: set TRANSCRIPTION_URL to the base of an OpenAI-compatible API, such as https://api.openai.com/v1.'

export function createTranscriber({
  endpoint,
  summaryModel,
  now,
  random,
  log,
}: TranscriberOptions): OutputEngine<TranscriptionConfig> {
  const asked = endpoint && new Endpoint({ ...endpoint, random })
  if (!asked) return new Transcriber(undefined)
  const summariser = summaryModel === undefined ? undefined : summariserOf(asked, summaryModel)
  return new Transcriber({ recogniser: asked, summariser, queue: new Queue(AT_ONCE, MOST_WAITING), now, log })
}

function summariserOf(endpoint: Endpoint, model: string): Summariser {
  return {
    summarise: (text, prompt, signal) =>
      endpoint.chat(
        model,
        [
          { role: 'system', content: prompt },
          { role: 'user', content: text },
        ],
        signal,
      ),
  }
}

class Transcriber implements OutputEngine<TranscriptionConfig> {
  readonly #means: Means | undefined
  readonly #running = new Set<Transcription>()

  constructor(means: Means | undefined) {
    this.#means = means
  }

  get unavailable(): string | undefined {
    return this.#means ? undefined : NO_RECOGNISER
  }

  start(order: OutputOrder<TranscriptionConfig>, listener: OutputListener): OutputRun {
    if (!this.#means) throw new Error(NO_RECOGNISER)
    const run = new Transcription(order, listener, this.#means)
    this.#running.add(run)
    void run.done.then(() => this.#running.delete(run))
    return run
  }

  async recover({ folder }: Omit<OutputOrder<TranscriptionConfig>, 'source'>): Promise<OutputFile[]> {
    const left = await readTranscript(folder)
    return left ? writeTranscript(folder, left) : []
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#running].map((run) => run.hurry()))
  }
}
