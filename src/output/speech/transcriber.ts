/** The engine of transcriptions: speech of each participant becomes text, by an OpenAI-compatible endpoint or a model of this machine's. */
import type { MediaLog } from '../../media/log.ts'
import type {
  OutputFile,
  OutputListener,
  OutputOrder,
  OutputRun,
  RecordedSpeech,
  TranscriptionConfig,
  TranscriptionEngine,
} from '../output.ts'
import { Endpoint } from './endpoint.ts'
import { LocalRecogniser, whyNoSherpa } from './local/local.ts'
import { readModelFolder } from './local/model-folder.ts'
import { Queue } from './queue.ts'
import { RecogniserError } from './recogniser.ts'
import { transcribeRecorded } from './recorded.ts'
import type { Summariser } from './summary.ts'
import { readTranscript, writeTranscript } from './transcript-files.ts'
import { Transcription, type Means } from './transcription.ts'

export interface TranscriberOptions {
  endpoint: { url: string; apiKey: string | undefined; model: string } | undefined
  /** A model of this machine's; it recognises, where both are given, and the endpoint writes summaries alone. */
  modelFolder?: string | undefined
  /** The endpoint's language model for summaries. */
  summaryModel: string | undefined
  /** Reads recordings; without it they are not transcribed. */
  ffmpegBin?: string | undefined
  now: () => number
  random: () => number
  log: MediaLog
}

/** Requests to the recogniser at once, and what may wait for them: about two minutes of speech each. */
const AT_ONCE = 4
const MOST_WAITING = 200

const NO_RECOGNISER =
  'Transcription needs a recogniser: set TRANSCRIPTION_URL to the base of an OpenAI-compatible API, such as https://api.openai.com/v1, or TRANSCRIPTION_MODEL_FOLDER to a folder that holds a speech model.'

const NO_FFMPEG = 'Transcribing recordings needs ffmpeg: install it, or set FFMPEG_BIN.'

export function createTranscriber({
  endpoint,
  modelFolder,
  summaryModel,
  ffmpegBin,
  now,
  random,
  log,
}: TranscriberOptions): TranscriptionEngine {
  const asked = endpoint && new Endpoint({ ...endpoint, random })
  const local = modelFolder === undefined ? undefined : new LocalRecogniser({ folder: modelFolder, log })
  const recogniser = local ?? asked
  const unavailable = local ? whyNoSherpa() : asked ? undefined : NO_RECOGNISER
  if (!recogniser || unavailable !== undefined) return new Transcriber(unavailable)
  const summariser = asked && summaryModel !== undefined ? summariserOf(asked, summaryModel) : undefined
  // A process of this machine does one thing after the other.
  const queue = new Queue(local ? 1 : AT_ONCE, MOST_WAITING)
  const transcriber = new Transcriber(undefined, { recogniser, summariser, queue, now, log }, ffmpegBin)
  if (modelFolder !== undefined)
    void readModelFolder(modelFolder).then((model) => {
      if (typeof model !== 'string') return
      transcriber.unavailable = model
      log.warn({}, model)
    })
  return transcriber
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

class Transcriber implements TranscriptionEngine {
  unavailable: string | undefined
  readonly #means: Means | undefined
  readonly #ffmpegBin: string | undefined
  readonly #running = new Set<Transcription>()

  constructor(unavailable: string | undefined, means?: Means, ffmpegBin?: string) {
    this.unavailable = unavailable
    this.#means = means
    this.#ffmpegBin = ffmpegBin
  }

  get recordedUnavailable(): string | undefined {
    return this.unavailable ?? (this.#ffmpegBin === undefined ? NO_FFMPEG : undefined)
  }

  start(order: OutputOrder<TranscriptionConfig>, listener: OutputListener): OutputRun {
    if (!this.#means) throw new Error(this.unavailable)
    const run = new Transcription(order, listener, this.#means)
    this.#running.add(run)
    void run.done.then(() => this.#running.delete(run))
    return run
  }

  async recover({ folder }: Omit<OutputOrder<TranscriptionConfig>, 'source'>): Promise<OutputFile[]> {
    const left = await readTranscript(folder)
    return left ? writeTranscript(folder, left) : []
  }

  transcribeRecorded(speech: RecordedSpeech): Promise<OutputFile[]> {
    if (!this.#means || this.#ffmpegBin === undefined)
      return Promise.reject(new RecogniserError(this.recordedUnavailable!, { permanent: true }))
    return transcribeRecorded({ ...this.#means, ffmpegBin: this.#ffmpegBin }, speech)
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#running].map((run) => run.hurry()))
    await this.#means?.recogniser.close()
  }
}
