/** Engines that a test plays, and the parts around them. */
import { KeptFiles } from '../../src/meeting/outputs/kept-files.ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JobEngine, JobEngines } from '../../src/output/jobs/job.ts'
import type { OutputParts } from '../../src/meeting/outputs/parts.ts'
import type {
  OutputEngine,
  OutputFile,
  OutputListener,
  OutputOrder,
  RecordedSpeech,
  Thumbnail,
  Outputs,
} from '../../src/output/output.ts'
import type { Store } from '../../src/store/store.ts'

const takeThumbnail = (): Promise<Thumbnail> =>
  Promise.resolve({ path: 'thumbnails/a.jpg', width: 320, height: 180, size: 1 })

/** One started output, in the hands of the test. */
export interface Played {
  order: OutputOrder<unknown>
  listener: OutputListener
  stopped: boolean
  /** Ends the stop that was asked for. */
  finish: (files?: OutputFile[]) => void
}

export class PlayedEngine implements OutputEngine<unknown> {
  readonly takeThumbnail = takeThumbnail
  /** Recordings that were given to be transcribed, each with what ends it. */
  readonly recorded: { speech: RecordedSpeech; finish: (files: OutputFile[]) => void }[] = []
  unavailable: string | undefined
  /** Thrown by the next start. */
  refusal: Error | undefined
  readonly started: Played[] = []
  readonly recovered: string[] = []

  get recordedUnavailable(): string | undefined {
    return this.unavailable
  }

  transcribeRecorded(speech: RecordedSpeech): Promise<OutputFile[]> {
    const { promise, resolve } = Promise.withResolvers<OutputFile[]>()
    this.recorded.push({ speech, finish: resolve })
    return promise
  }

  start(order: OutputOrder<unknown>, listener: OutputListener) {
    if (this.refusal) throw this.refusal
    const { promise, resolve } = Promise.withResolvers<OutputFile[]>()
    const played: Played = { order, listener, stopped: false, finish: (files = []) => resolve(files) }
    this.started.push(played)
    return {
      stop: () => {
        played.stopped = true
        return promise
      },
    }
  }

  recover({ outputId, folder }: { outputId: string; folder: string }): Promise<OutputFile[]> {
    this.recovered.push(outputId)
    return Promise.resolve([aFile(join(folder, 'left.mp4'))])
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

export function aFile(path = 'recording.mp4'): OutputFile {
  return { path, type: 'video', contentType: 'video/mp4', size: 1, startedAt: 1, endedAt: 2 }
}

export type PlayedEngines = { [K in keyof Outputs]: PlayedEngine }

export function playedEngines(): PlayedEngines {
  return {
    recording: new PlayedEngine(),
    hls: new PlayedEngine(),
    livestream: new PlayedEngine(),
    transcription: new PlayedEngine(),
    participant: new PlayedEngine(),
    track: new PlayedEngine(),
    composite: new PlayedEngine(),
  }
}

let made = 0

export function outputParts(
  store: Store,
  engines: PlayedEngines = playedEngines(),
  others: Partial<OutputParts> = {},
): OutputParts {
  const folders = new Map<string, string>()
  const folderOf = (outputId: string): string => folders.get(outputId) ?? tmpdir()
  return {
    engines: engines,
    store,
    announce: () => [],
    now: Date.now,
    newOutputId: () => (made++).toString(16).padStart(24, '0'),
    newSecretId: () => `secret-${made++}`,
    folder: tmpdir(),
    problemOfUpload: () => undefined,
    makeFolder: (outputId) => {
      const folder = mkdtempSync(join(tmpdir(), 'anteroom-output-'))
      process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
      folders.set(outputId, folder)
      return folder
    },
    folderOf,
    kept: new KeptFiles({
      beforeDrop: () => Promise.resolve(),
      outputs: store.outputs,
      jobs: store.jobs,
      files: undefined,
      folderOf,
      borrowedFolder: tmpdir(),
      hasRoom: () => Promise.resolve(true),
      newId: () => String(made++),
      now: Date.now,
    }),
    dropFolder: (outputId) => {
      const folder = folders.get(outputId)
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
      return Promise.resolve()
    },
    mintToken: () => 'a-token',
    followUp: () => Promise.resolve(),
    problemOfWebhook: () => undefined,
    onError: () => undefined,
    warn: () => undefined,
    ending: new Set(),
    moves: false,
    making: new Set(),
    isStopping: false,
    ...others,
  }
}

/** Starts and stops at once, and leaves a file. */
class PromptEngine extends PlayedEngine {
  readonly #name: string

  constructor(name = 'recording.mp4') {
    super()
    this.#name = name
  }

  override start(order: OutputOrder<unknown>, listener: OutputListener) {
    const run = super.start(order, listener)
    // Others may start before this one stops.
    const own = this.started.at(-1)!
    listener.started()
    return {
      stop: () => {
        writeFileSync(join(own.order.folder, this.#name), 'media')
        own.finish([aFile(this.#name)])
        return run.stop()
      },
    }
  }
}

export function promptEngines(): Outputs {
  return {
    recording: new PromptEngine(),
    hls: new PromptEngine('index.m3u8'),
    livestream: new PromptEngine(),
    transcription: new PromptEngine('transcription.txt'),
    participant: new PromptEngine(),
    track: new PromptEngine(),
    composite: new PromptEngine(),
  }
}

/** Jobs that are done at once; those of HLS go on until they are ended. */
export function promptJobs(): JobEngines {
  const engine: JobEngine = { unavailable: undefined, run: () => Promise.resolve([aFile('merged.mp4')]) }
  const held: JobEngine = {
    unavailable: undefined,
    run: (_config, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
  }
  return {
    'composite-merge': engine,
    'hls-to-mp4': held,
    'meeting-recording-merge': engine,
    'participant-merge': engine,
    'post-transcription': {
      unavailable: undefined,
      run: () => Promise.resolve([aFile('transcription.txt'), aFile('summary.txt')]),
    },
  }
}
