/** Recognises speech on this machine, in a process of its own, which is started when it is needed and again when it died. */
import { fork, type ChildProcess } from 'node:child_process'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { MediaLog } from '../../../media/log.ts'
import { RecogniserError, type RecogniseOptions, type Recogniser } from '../recogniser.ts'
import type { Answered, Asked } from './messages.ts'
import { readModelFolder } from './model-folder.ts'

/** The version that was tried. */
const SHERPA = 'sherpa-onnx-node@1.13.8'
const TIMEOUT_MS = 60_000
/** A large model is read from a slow disk. */
const LOAD_MS = 120_000
/** Without a request for so long the model leaves the memory. */
const IDLE_MS = 600_000
const SAID_BYTES = 2000

/** Why nothing can be recognised with a model of one's own; undefined if it can. One sentence. */
export function whyNoSherpa(): string | undefined {
  try {
    createRequire(import.meta.url).resolve('sherpa-onnx-node')
    return undefined
  } catch {
    return `TRANSCRIPTION_MODEL_FOLDER needs the library that runs the model: npm install --no-save ${SHERPA}`
  }
}

interface Waiting {
  resolve: (text: string) => void
  reject: (error: RecogniserError) => void
}

interface Process {
  child: ChildProcess
  loaded: Promise<undefined>
  waiting: Map<number, Waiting>
}

export interface LocalOptions {
  folder: string
  log: MediaLog
  timeoutMs?: number
  idleMs?: number
  threads?: number
}

export class LocalRecogniser implements Recogniser {
  readonly #options: LocalOptions
  #process: Promise<Process> | undefined
  #idle: NodeJS.Timeout | undefined
  #count = 0
  #asked = 0
  #closed = false

  constructor(options: LocalOptions) {
    this.#options = options
  }

  async recognise(samples: Int16Array, { language, signal }: RecogniseOptions): Promise<string> {
    clearTimeout(this.#idle)
    this.#asked += 1
    try {
      signal.throwIfAborted()
      const running = await (this.#process ??= this.#start())
      await running.loaded
      signal.throwIfAborted()
      return await this.#ask(running, samples, language, signal)
    } finally {
      this.#asked -= 1
      if (this.#asked === 0 && !this.#closed)
        this.#idle = setTimeout(() => void this.#end(), this.#options.idleMs ?? IDLE_MS).unref()
    }
  }

  /** The process is gone when this resolves. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    await this.#end()
  }

  #ask(
    { child, waiting }: Process,
    samples: Int16Array,
    language: string | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    const { timeoutMs = TIMEOUT_MS } = this.#options
    this.#count += 1
    const id = this.#count
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new RecogniserError(`The local recogniser did not answer within ${timeoutMs / 1000} seconds.`))
        // It may hang; what else it was asked is answered by its end.
        child.kill('SIGKILL')
      }, timeoutMs)
      const settle = (): void => {
        clearTimeout(late)
        waiting.delete(id)
        signal.removeEventListener('abort', abort)
      }
      const abort = (): void => {
        settle()
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', abort)
      waiting.set(id, {
        resolve: (text) => {
          settle()
          resolve(text)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      })
      const languageAlone = language?.split('-')[0]!.toLowerCase()
      send(child, { kind: 'recognise', id, samples, language: languageAlone })
    })
  }

  async #start(): Promise<Process> {
    const { folder, log } = this.#options
    const model = await readModelFolder(folder)
    const missing = whyNoSherpa()
    if (typeof model === 'string' || missing !== undefined) {
      this.#process = undefined
      throw new RecogniserError(typeof model === 'string' ? model : missing!, { permanent: true })
    }
    if (this.#closed) throw new RecogniserError('The server is stopping.')
    const threads = this.#options.threads ?? Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)))
    const child = fork(fileURLToPath(new URL(`./process${ending()}`, import.meta.url)), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // The library needs nothing else of this server's, keys least of all.
      env: Object.fromEntries(
        ['PATH', 'NODE_PATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH'].map((name) => [
          name,
          process.env[name],
        ]),
      ),
      execArgv: [],
    })
    let said = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-SAID_BYTES)))
    const waiting = new Map<number, Waiting>()
    const loaded = Promise.withResolvers<undefined>()
    loaded.promise.catch(() => undefined)
    const late = setTimeout(() => child.kill('SIGKILL'), LOAD_MS)
    child.on('message', (answer: Answered) => {
      if (answer.kind === 'loaded') {
        clearTimeout(late)
        loaded.resolve(undefined)
        log.info({ model: model.layout }, 'loaded the speech model')
      } else if (answer.kind === 'text') waiting.get(answer.id)?.resolve(answer.text)
      else
        waiting
          .get(answer.id)
          ?.reject(new RecogniserError('The local recogniser failed.', { cause: answer.message }))
    })
    const gone = (cause: unknown): void => {
      clearTimeout(late)
      if (running === this.#process) this.#process = undefined
      loaded.reject(
        new RecogniserError(
          `The speech model in TRANSCRIPTION_MODEL_FOLDER (${model.layout}) cannot be loaded.`,
          {
            permanent: true,
            cause,
          },
        ),
      )
      for (const { reject } of [...waiting.values()])
        reject(new RecogniserError('The local recogniser ended unexpectedly.', { cause }))
    }
    const running = this.#process
    child.once('error', gone)
    child.once('close', (code, signal) => gone(`ended with ${code ?? signal}: ${said.trim()}`))
    send(child, { kind: 'load', model, threads })
    return { child, loaded: loaded.promise, waiting }
  }

  async #end(): Promise<void> {
    const running = await this.#process?.catch(() => undefined)
    this.#process = undefined
    if (running?.child.exitCode !== null || running.child.signalCode !== null) return
    const ended = new Promise((resolve) => running.child.once('close', resolve))
    running.child.kill('SIGKILL')
    await ended
  }
}

/** Of this file, and so of its neighbour: `.ts` in the sources, `.js` as published. */
const ending = (): string => /\.\w+$/.exec(import.meta.url)![0]

function send(child: ChildProcess, asked: Asked): void {
  // Its end is told by itself.
  child.send(asked, () => undefined)
}
