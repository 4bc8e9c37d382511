/**
 * One transcription: listens to every microphone of a session separately, so that the speaker of each text is known.
 */
import type { MediaLog } from '../../media/log.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type {
  OutputFile,
  OutputListener,
  OutputOrder,
  OutputProblem,
  OutputRun,
  OutputWatcher,
  SourceStream,
  TranscriptionConfig,
} from '../output.ts'
import type { Queue } from './queue.ts'
import { RecogniserError, type Recogniser } from './recogniser.ts'
import { writeSummary, type Summariser } from './summary.ts'
import { Journal, writeTranscript } from './transcript-files.ts'
import { Voice, type Said } from './voice.ts'

export interface Means {
  recogniser: Recogniser
  summariser: Summariser | undefined
  /** Shared by all transcriptions. */
  queue: Queue
  now: () => number
  log: MediaLog
}

/** Utterances of one stream that may wait for recognition; further ones are dropped. */
const MOST_WAITING = 20
/** This many failures in a row end the transcription. */
const MOST_FAILURES = 5
/** How long its end waits for running recognitions. */
const DRAIN_MS = 30_000
const HURRIED_DRAIN_MS = 3000

interface Source {
  stream: SourceStream
  voice: Voice | undefined
  gone: boolean
  waiting: number
  /** Settles when everything said so far is recognised. */
  recognised: Promise<void>
}

export class Transcription implements OutputRun, OutputWatcher {
  readonly #order: OutputOrder<TranscriptionConfig>
  readonly #listener: OutputListener
  readonly #means: Means
  readonly #sources = new Map<string, Source>()
  /** Recognitions that must finish before the end. */
  readonly #pending = new Set<Promise<void>>()
  readonly #names = new Map<string, string>()
  readonly #abort = new AbortController()
  readonly #opened: Promise<void>
  #unwatch: (() => void) | undefined
  #journal: Journal | undefined
  #ending: Promise<OutputFile[]> | undefined
  /** Resolves when it has ended, for any reason. */
  readonly done: Promise<void>
  #isDone: () => void = () => undefined
  #count = 0
  #failures = 0

  constructor(order: OutputOrder<TranscriptionConfig>, listener: OutputListener, means: Means) {
    this.#order = order
    this.#listener = listener
    this.#means = means
    this.done = new Promise((resolve) => (this.#isDone = resolve))
    this.#opened = this.#open()
  }

  stop(): Promise<OutputFile[]> {
    return (this.#ending ??= this.#end(DRAIN_MS))
  }

  /** Ends it quickly, because the server is stopping. */
  async hurry(): Promise<void> {
    setTimeout(() => this.#abort.abort(), HURRIED_DRAIN_MS).unref()
    await this.stop()
  }

  tell(notification: Notification): void {
    if (notification.method === 'peerDisplayNameChanged')
      this.#names.set(notification.peerId, notification.displayName)
  }

  offer(stream: SourceStream): void {
    // End-to-end encrypted streams cannot be decoded.
    if (stream.kind !== 'audio' || stream.appData.isEncrypted === true || this.#ending) return
    const source: Source = {
      stream,
      voice: undefined,
      gone: false,
      waiting: 0,
      recognised: Promise.resolve(),
    }
    this.#sources.set(stream.producerId, source)
    this.#names.set(stream.ownerId, stream.ownerName)
    this.#listen(source).catch((error: unknown) => {
      this.#sources.delete(stream.producerId)
      if (!source.gone)
        this.#means.log.warn({ err: error, outputId: this.#order.outputId }, 'failed to transcribe a stream')
    })
  }

  withdraw(producerId: string): void {
    const source = this.#sources.get(producerId)
    if (!source) return
    this.#sources.delete(producerId)
    source.gone = true
    source.voice?.close()
  }

  close(): void {
    for (const producerId of [...this.#sources.keys()]) this.withdraw(producerId)
  }

  async #open(): Promise<void> {
    try {
      this.#journal = await Journal.begin(this.#order.folder, this.#means.now())
    } catch (error) {
      this.#fail('The transcript cannot be written.', error)
      return
    }
    if (this.#ending) return
    this.#listener.started()
    this.#unwatch = this.#order.source.watch(this)
  }

  async #listen(source: Source): Promise<void> {
    const tap = await source.stream.open()
    const voice = await Voice.open(tap, this.#means.now, (said) => this.#heard(source, said))
    source.voice = voice
    if (source.gone) voice.close()
  }

  #heard(source: Source, said: Said): void {
    const { log } = this.#means
    const { outputId } = this.#order
    if (source.waiting >= MOST_WAITING) {
      log.warn({ outputId }, 'dropped speech: the recogniser is too slow')
      return
    }
    source.waiting += 1
    this.#count += 1
    const id = String(this.#count)
    source.recognised = source.recognised.then(async () => {
      try {
        await this.#recognise(id, source.stream.ownerId, said)
      } catch (error) {
        log.error({ err: error, outputId }, 'failed to save recognised speech')
        this.#fail('The transcript cannot be written.', error)
      } finally {
        source.waiting -= 1
      }
    })
    const { recognised } = source
    this.#pending.add(recognised)
    void recognised.then(() => this.#pending.delete(recognised))
  }

  async #recognise(id: string, participantId: string, { startedAt, endedAt, samples }: Said): Promise<void> {
    const text = await this.#textOf(samples)
    if (!text || this.#abort.signal.aborted) return
    const participantName = this.#names.get(participantId) ?? ''
    const line = { id, participantId, participantName, text, timestamp: startedAt, endedAt }
    this.#listener.transcribed({
      id,
      participantId,
      participantName,
      text,
      timestamp: startedAt,
      type: 'final',
    })
    await this.#journal?.add(line)
  }

  async #textOf(samples: Int16Array): Promise<string | undefined> {
    const { recogniser, queue, log } = this.#means
    const { language, modelId } = this.#order.config
    const { signal } = this.#abort
    try {
      const recognising = queue.run(() => recogniser.recognise(samples, { language, modelId, signal }))
      if (!recognising) throw new RecogniserError('Too much speech waits to be recognised.')
      const text = await recognising
      this.#failures = 0
      return text
    } catch (error) {
      if (this.#abort.signal.aborted) return undefined
      log.warn({ err: error, outputId: this.#order.outputId }, 'failed to recognise speech')
      this.#failures += 1
      if (this.#failures >= MOST_FAILURES || (error instanceof RecogniserError && error.permanent))
        this.#fail(error instanceof RecogniserError ? error.message : 'The recogniser failed.', error)
      return undefined
    }
  }

  /** Ends the transcription because of an error. */
  #fail(message: string, cause: unknown): void {
    if (this.#ending) return
    const reason = (cause as { code?: unknown } | undefined)?.code === 'ENOSPC' ? 'disk-full' : 'failed'
    this.#abort.abort()
    const problem: OutputProblem = { reason, message, cause }
    this.#ending = this.#end(0).catch(() => [])
    void this.#ending.then((files) => this.#listener.ended(problem, files))
  }

  async #end(drainMs: number): Promise<OutputFile[]> {
    await Promise.resolve()
    await this.#opened
    this.#unwatch?.()
    this.close()
    const late = setTimeout(() => this.#abort.abort(), drainMs)
    if (drainMs > 0) await Promise.all(this.#pending)
    clearTimeout(late)
    try {
      return await this.#files()
    } finally {
      this.#isDone()
    }
  }

  async #files(): Promise<OutputFile[]> {
    if (!this.#journal) return []
    const transcribed = await this.#journal.end(this.#means.now())
    const files = await writeTranscript(this.#order.folder, transcribed)
    const { summary } = this.#order.config
    const { signal } = this.#abort
    if (!summary || !this.#means.summariser || signal.aborted) return files
    try {
      files.push(
        ...(await writeSummary(
          this.#order.folder,
          transcribed,
          this.#means.summariser,
          summary.prompt,
          signal,
        )),
      )
    } catch (error) {
      this.#means.log.warn({ err: error, outputId: this.#order.outputId }, 'failed to summarise a transcript')
    }
    return files
  }
}
