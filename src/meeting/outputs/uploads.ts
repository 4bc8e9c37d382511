/** Uploads the files of recordings that have ended to the addresses that their starters gave. Goes on after a restart. */
import { setTimeout as delay } from 'node:timers/promises'
import type { UploadAnswer } from '../../output/files/files.ts'
import type { OutputRecord, Store } from '../../store/store.ts'
import type { KeptFiles } from './kept-files.ts'
import { afterUpload } from './upload-rule.ts'

export interface UploadsOptions {
  outputs: Pick<Store['outputs'], 'awaitingUpload' | 'endUpload'>
  kept: Pick<KeptFiles, 'borrow'>
  /** Sends one file. @throws {Error} if it cannot be read */
  upload: (address: string, path: string, contentType: string, signal: AbortSignal) => Promise<UploadAnswer>
  now: () => number
  log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
}

/** How soon a recording that has ended is noticed. */
const LOOK_MS = 3000
const STEP = 100

export class Uploads {
  readonly #options: UploadsOptions
  readonly #stopping = new AbortController()
  /** Of those that failed. A restart tries them again at once. */
  readonly #failed = new Map<string, { tries: number; nextAt: number }>()
  #work: Promise<void> | undefined

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  start(): void {
    this.#work = this.#run()
  }

  /** Ends what is under way; it is done anew after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#work
  }

  async #run(): Promise<void> {
    const { outputs, now, log } = this.#options
    const { signal } = this.#stopping
    while (!this.#isStopping()) {
      try {
        const waiting = await outputs.awaitingUpload(STEP + this.#failed.size)
        for (const { output, uploadTo } of waiting) {
          if (this.#isStopping()) return
          if ((this.#failed.get(output.outputId)?.nextAt ?? 0) <= now()) await this.#upload(output, uploadTo)
        }
        this.#forgetOthers(waiting.map(({ output }) => output.outputId))
      } catch (error) {
        log.warn({ err: error }, 'failed to look for recordings to upload')
      }
      await delay(LOOK_MS, undefined, { ref: false, signal }).catch(() => undefined)
    }
  }

  async #upload(output: OutputRecord, uploadTo: string): Promise<void> {
    const { outputs, now, log } = this.#options
    const { outputId } = output
    const tries = (this.#failed.get(outputId)?.tries ?? 0) + 1
    const answer = await this.#send(output, uploadTo)
    if (this.#isStopping()) return
    const after = afterUpload({ answer, tries, endedAt: output.endedAt ?? now(), now: now() })
    if (after.next === 'again') {
      this.#failed.set(outputId, { tries, nextAt: now() + after.waitMs })
      const seconds = Math.round(after.waitMs / 1000)
      log.warn(
        { outputId },
        `failed to upload a recording, which is tried again in ${seconds} s: ${answer.problem}`,
      )
      return
    }
    await outputs.endUpload(outputId)
    if (after.next === 'done') log.info({ outputId }, 'uploaded a recording to the address of its starter')
    else log.warn({ outputId }, `gave up uploading a recording: ${answer.problem}`)
  }

  async #send(output: OutputRecord, uploadTo: string): Promise<UploadAnswer> {
    const [file] = output.files
    if (!file) return { status: 404, problem: 'The recording has no file.' }
    const borrowed = await this.#options.kept.borrow(output, file.path)
    if (!borrowed) return { status: undefined, problem: 'Its file is not here.' }
    try {
      return await this.#options.upload(uploadTo, borrowed.path, file.contentType, this.#stopping.signal)
    } finally {
      await borrowed.release()
    }
  }

  /** What was deleted meanwhile is not tried any more. */
  #forgetOthers(waiting: readonly string[]): void {
    const left = new Set(waiting)
    for (const outputId of this.#failed.keys()) if (!left.has(outputId)) this.#failed.delete(outputId)
  }
}
