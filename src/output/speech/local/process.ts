/**
 * The local recogniser, a process by itself: recognising keeps a core busy for seconds, and the library ends its process where it
 * finds a model at fault. It is started by `local.ts`, with which it ends.
 */
import { createRequire } from 'node:module'
import { constants, setPriority } from 'node:os'
import type { Answered, Asked } from './messages.ts'
import type { SpeechModel } from './model-folder.ts'

/** What is used of `sherpa-onnx-node`, which is installed by whoever wants it. */
interface Stream {
  acceptWaveform(sound: { samples: Float32Array; sampleRate: number }): void
  inputFinished(): void
}
interface Recognising {
  createStream(): Stream
  decode(stream: Stream): void
  isReady(stream: Stream): boolean
  getResult(stream: Stream): { text: string }
  setConfig(config: object): void
}
interface Sherpa {
  OnlineRecognizer: new (config: object) => Recognising
  OfflineRecognizer: new (config: object) => Recognising
}

const SAMPLE_RATE = 16_000
/** A streaming model says the last words when it has heard so much silence. */
const SILENCE = new Float32Array(SAMPLE_RATE / 2)
const sherpa = createRequire(import.meta.url)('sherpa-onnx-node') as Sherpa

class Model {
  readonly #model: SpeechModel
  readonly #threads: number
  readonly #recogniser: Recognising
  #language = ''

  constructor(model: SpeechModel, threads: number) {
    this.#model = model
    this.#threads = threads
    const Recogniser = model.streaming ? sherpa.OnlineRecognizer : sherpa.OfflineRecognizer
    this.#recogniser = new Recogniser(this.#config())
  }

  recognise(sound: Int16Array, language = ''): string {
    if (this.#model.multilingual && language !== this.#language) {
      this.#language = language
      this.#recogniser.setConfig(this.#config())
    }
    const stream = this.#recogniser.createStream()
    const samples = Float32Array.from(sound, (sample) => sample / 32_768)
    stream.acceptWaveform({ samples, sampleRate: SAMPLE_RATE })
    if (this.#model.streaming) {
      stream.acceptWaveform({ samples: SILENCE, sampleRate: SAMPLE_RATE })
      stream.inputFinished()
      while (this.#recogniser.isReady(stream)) this.#recogniser.decode(stream)
    } else this.#recogniser.decode(stream)
    return this.#recogniser.getResult(stream).text.trim()
  }

  #config(): object {
    const { modelConfig, multilingual } = this.#model
    const language = multilingual && {
      whisper: { ...(modelConfig.whisper as object), language: this.#language },
    }
    return {
      featConfig: { sampleRate: SAMPLE_RATE, featureDim: 80 },
      modelConfig: { ...modelConfig, ...language, numThreads: this.#threads, provider: 'cpu', debug: 0 },
      decodingMethod: 'greedy_search',
    }
  }
}

const tell = (answer: Answered): void => {
  process.send!(answer)
}

let model: Model | undefined
try {
  // Meetings go on meanwhile.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
} catch {
  // It works all the same.
}
process.on('disconnect', () => process.exit(0))
process.on('message', (asked: Asked) => {
  if (asked.kind === 'load') {
    model = new Model(asked.model, asked.threads)
    tell({ kind: 'loaded' })
    return
  }
  const { id, samples, language } = asked
  try {
    tell({ kind: 'text', id, text: model!.recognise(samples, language) })
  } catch (error) {
    tell({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) })
  }
})
