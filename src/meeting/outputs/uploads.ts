/** Uploads the files of recordings and jobs that have ended to the addresses that their starters gave. Goes on after a restart. */
import { setTimeout as delay } from 'node:timers/promises'
import type { BorrowedFile, UploadAnswer } from '../../output/files/files.ts'
import type { OutputFileRecord, Store } from '../../store/store.ts'
import { filesOfJob, type KeptFiles } from './kept-files.ts'
import { afterUpload } from './upload-rule.ts'

/** A file that is still to be uploaded. */
export interface AwaitedUpload {
  /** Of the recording or the job. */
  id: string
  /** Ms since the epoch. */
  endedAt: number | null
  /** Undefined where nothing came of it. */
  file: OutputFileRecord | undefined
  uploadTo: string
  /** The file, for as long as it is read; undefined if it is not here. */
  borrow: () => Promise<BorrowedFile | undefined>
}

/** Where uploads are waiting. */
export interface UploadSource {
  /** What the log calls one, such as "recording". */
  noun: string
  /** Those that have ended, oldest first, at most `limit`. */
  awaiting: (limit: number) => Promise<AwaitedUpload[]>
  /** It has been uploaded, or never will be. */
  end: (id: string) => Promise<void>
}

type Kept = Pick<KeptFiles, 'borrow'>

export function recordingsToUpload(
  outputs: Pick<Store['outputs'], 'awaitingUpload' | 'endUpload'>,
  kept: Kept,
): UploadSource {
  return {
    noun: 'recording',
    awaiting: async (limit) =>
      (await outputs.awaitingUpload(limit)).map(({ output, uploadTo }) => {
        const { outputId: id, endedAt, files } = output
        const [file] = files
        return { id, endedAt, file, uploadTo, borrow: async () => file && kept.borrow(output, file.path) }
      }),
    end: (id) => outputs.endUpload(id),
  }
}

export function jobsToUpload(
  jobs: Pick<Store['jobs'], 'awaitingUpload' | 'endUpload'>,
  kept: Kept,
): UploadSource {
  return {
    noun: 'job',
    awaiting: async (limit) =>
      (await jobs.awaitingUpload(limit)).map(({ job, uploadTo }) => {
        const { jobId: id, endedAt, files } = job
        const [file] = files
        const place = filesOfJob(job)
        return { id, endedAt, file, uploadTo, borrow: async () => file && kept.borrow(place, file.path) }
      }),
    end: (id) => jobs.endUpload(id),
  }
}

export interface UploadsOptions {
  source: UploadSource
  /** Sends one file. @throws {Error} if it cannot be read */
  upload: (address: string, path: string, contentType: string, signal: AbortSignal) => Promise<UploadAnswer>
  now: () => number
  log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
}

/** How soon one that has ended is noticed. */
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
    const { source, now, log } = this.#options
    const { signal } = this.#stopping
    while (!this.#isStopping()) {
      try {
        const waiting = await source.awaiting(STEP + this.#failed.size)
        for (const one of waiting) {
          if (this.#isStopping()) return
          if ((this.#failed.get(one.id)?.nextAt ?? 0) <= now()) await this.#upload(one)
        }
        this.#forgetOthers(waiting.map(({ id }) => id))
      } catch (error) {
        log.warn({ err: error }, `failed to look for ${source.noun}s to upload`)
      }
      await delay(LOOK_MS, undefined, { ref: false, signal }).catch(() => undefined)
    }
  }

  async #upload(one: AwaitedUpload): Promise<void> {
    const { source, now, log } = this.#options
    const { noun } = source
    const { id } = one
    const tries = (this.#failed.get(id)?.tries ?? 0) + 1
    const answer = await this.#send(one)
    if (this.#isStopping()) return
    const after = afterUpload({ answer, tries, endedAt: one.endedAt ?? now(), now: now() })
    if (after.next === 'again') {
      this.#failed.set(id, { tries, nextAt: now() + after.waitMs })
      const seconds = Math.round(after.waitMs / 1000)
      log.warn({ id }, `failed to upload a ${noun}, which is tried again in ${seconds} s: ${answer.problem}`)
      return
    }
    await source.end(id)
    if (after.next === 'done') log.info({ id }, `uploaded a ${noun} to the address of its starter`)
    else log.warn({ id }, `gave up uploading a ${noun}: ${answer.problem}`)
  }

  async #send({ file, uploadTo, borrow }: AwaitedUpload): Promise<UploadAnswer> {
    if (!file) return { status: 404, problem: 'It has no file.' }
    const borrowed = await borrow()
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
    for (const id of this.#failed.keys()) if (!left.has(id)) this.#failed.delete(id)
  }
}
