/**
 * Makes files of outputs that have ended, in the background: one job after the other, at low priority. What was begun by a process that
 * was killed is begun again by the next one.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { BorrowedFile } from '../../output/files/files.ts'
import type { JobEngine, JobSource } from '../../output/jobs/job.ts'
import { JobProblem } from '../../output/jobs/problem.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { JobPhase } from '../../protocol/webhooks.ts'
import type { JobChange, JobKind, JobRecord, OutputFileRecord } from '../../store/store.ts'
import { fileRecords, type OutputParts } from '../outputs/parts.ts'
import { jobDetails, jobKinds } from './kinds.ts'

export interface JobsOptions {
  parts: OutputParts
  engines: Record<JobKind, JobEngine>
  /** A file of an output, for programs; a playlist comes with the files that it names. Undefined if it is gone. */
  borrowFile: (
    outputId: string,
    file: OutputFileRecord,
    signal: AbortSignal,
  ) => Promise<BorrowedFile | undefined>
  /** At the same time. */
  maxJobs: number
}

export type JobOrdered = Pick<
  JobRecord,
  | 'kind'
  | 'projectId'
  | 'meetingId'
  | 'sessionId'
  | 'outputId'
  | 'config'
  | 'inputs'
  | 'baseUrl'
  | 'webhookUrl'
  | 'apiKey'
> & {
  /** A secret address of the caller to which the file is uploaded. */
  uploadTo?: string | undefined
}

interface Running {
  job: JobRecord
  abort: AbortController
  /** Resolves when its end is written. */
  ended: Promise<void>
}

/** How many jobs of a project may be unfinished. */
const MAX_UNFINISHED = 100
/** How long a write waits for a store that is away. */
const RETRY_MS = 1000

/** Why a job ends that nothing is wrong with. */
const CANCELLED = new Error('the job was cancelled')
const CLOSING = new Error('the server stops')

export class Jobs {
  readonly #options: JobsOptions
  #waiting: JobRecord[] = []
  /** Jobs that are being written, and count already. */
  readonly #begun = new Set<JobRecord>()
  /** When a job of each project was taken last, counted in turns. */
  readonly #takenAt = new Map<string, number>()
  #turns = 0
  readonly #running = new Map<string, Running>()
  #isClosing = false

  constructor(options: JobsOptions) {
    this.#options = options
  }

  /** @throws {Refusal} ADD_ON_SERVICES_DISABLED, INVALID_REQUEST, RATE_LIMITED, SERVER_STOPPING; then nothing was started */
  async start({ uploadTo, ...order }: JobOrdered): Promise<JobRecord> {
    const { parts, engines } = this.#options
    const { unavailable } = engines[order.kind]
    if (unavailable !== undefined) throw new Refusal('ADD_ON_SERVICES_DISABLED', { message: unavailable })
    const problem = order.webhookUrl === null ? undefined : parts.problemOfWebhook(order.webhookUrl)
    if (problem !== undefined) throw new Refusal('INVALID_REQUEST', { message: `The webhookUrl ${problem}.` })
    const wrong = uploadTo === undefined ? undefined : parts.problemOfUpload(uploadTo)
    if (wrong !== undefined)
      throw new Refusal('INVALID_REQUEST', { message: `The address to upload to ${wrong}.` })
    if (this.#isClosing) throw new Refusal('SERVER_STOPPING')
    const running = [...this.#running.values()].map(({ job }) => job)
    const all = [...this.#begun, ...this.#waiting, ...running]
    if (all.filter(({ projectId }) => projectId === order.projectId).length >= MAX_UNFINISHED)
      throw new Refusal('RATE_LIMITED', {
        message: `${MAX_UNFINISHED} jobs of this project wait already.`,
        retryAfterSeconds: 60,
      })
    const job: JobRecord = {
      ...order,
      jobId: parts.newOutputId(),
      secret: parts.newSecretId(),
      state: 'pending',
      createdAt: parts.now(),
      startedAt: null,
      endedAt: null,
      files: [],
      problem: null,
      storedAt: null,
    }
    this.#begun.add(job)
    try {
      await parts.store.jobs.create(job, uploadTo)
    } finally {
      this.#begun.delete(job)
    }
    // Where the server stops meanwhile, the next start takes it up.
    this.#waiting.push(job)
    this.#next()
    return job
  }

  /** Answers when its programs have ended. @throws {Refusal} INVALID_STATE if it is over */
  async cancel(jobId: string): Promise<JobRecord> {
    const { parts } = this.#options
    const waiting = this.#waiting.find((job) => job.jobId === jobId)
    if (waiting) {
      this.#waiting = this.#waiting.filter((job) => job !== waiting)
      try {
        return await this.#end(waiting, { state: 'cancelled', endedAt: parts.now() })
      } catch (error) {
        this.#waiting.unshift(waiting)
        throw error
      }
    }
    const running = this.#running.get(jobId)
    running?.abort.abort(CANCELLED)
    await running?.ended
    const job = await parts.store.jobs.get(jobId)
    if (!running || job?.state !== 'cancelled')
      throw new Refusal('INVALID_STATE', { message: 'It is over already.' })
    return job
  }

  /** Takes up what an earlier process left. */
  async resume(): Promise<void> {
    const left = await this.#options.parts.store.jobs.unfinished()
    this.#waiting.push(...left)
    this.#next()
  }

  /** Ends all programs; the next start begins again with what was not done. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#waiting = []
    for (const { abort } of this.#running.values()) abort.abort(CLOSING)
    await Promise.allSettled([...this.#running.values()].map(({ ended }) => ended))
  }

  #next(): void {
    while (!this.#isClosing && this.#running.size < this.#options.maxJobs) {
      const job = this.#take()
      if (!job) return
      const abort = new AbortController()
      const ended = this.#do(job, abort)
        .catch((error: unknown) => this.#options.parts.onError(error, 'failed to report a job'))
        .finally(() => {
          this.#running.delete(job.jobId)
          this.#next()
        })
      this.#running.set(job.jobId, { job, abort, ended })
    }
  }

  /** The next job. Projects take turns, so that the many of one do not hold up those of another. */
  #take(): JobRecord | undefined {
    const turnOf = ({ projectId }: JobRecord): number => this.#takenAt.get(projectId) ?? 0
    const [job] = this.#waiting.toSorted((one, other) => turnOf(one) - turnOf(other))
    if (!job) return undefined
    this.#waiting = this.#waiting.filter((one) => one !== job)
    this.#takenAt.set(job.projectId, ++this.#turns)
    return job
  }

  async #do(job: JobRecord, abort: AbortController): Promise<void> {
    const { parts } = this.#options
    const begun = { state: 'processing', startedAt: parts.now() } as const
    // One that was interrupted has been told of.
    await this.#write(job, begun, job.startedAt === null ? 'started' : undefined)
    let change: JobChange & { state: JobRecord['state'] }
    try {
      const files = await this.#make(job, abort)
      change = { state: 'completed', files: fileRecords(files, parts.newOutputId) }
    } catch (error) {
      await parts.dropFolder(job.jobId)
      if (error === CLOSING) return
      if (error === CANCELLED) change = { state: 'cancelled' }
      else {
        parts.onError(error, 'failed to do a job')
        change = { state: 'failed', problem: sentenceOf(error) }
      }
    }
    await this.#end({ ...job, ...begun }, { ...change, endedAt: parts.now() })
  }

  async #make(job: JobRecord, { signal }: AbortController) {
    const { parts, engines } = this.#options
    // What an interrupted attempt has left.
    await parts.dropFolder(job.jobId)
    const folder = parts.makeFolder(job.jobId)
    const borrowed: BorrowedFile[] = []
    try {
      const inputs = await this.#sources(job, borrowed, signal)
      signal.throwIfAborted()
      return await engines[job.kind].run(job.config, { folder, inputs, signal })
    } finally {
      await Promise.all(borrowed.map((file) => file.release()))
    }
  }

  async #sources({ inputs }: JobRecord, borrowed: BorrowedFile[], signal: AbortSignal): Promise<JobSource[]> {
    const { borrowFile } = this.#options
    const sources = []
    for (const { outputId, file, ...whose } of inputs) {
      const found = await borrowFile(outputId, file, signal)
      if (!found) throw new JobProblem('A file that it needs is gone.')
      borrowed.push(found)
      sources.push({ ...whose, path: found.path, type: file.type, size: found.size, ...spanOf(file) })
    }
    return sources
  }

  async #end(job: JobRecord, change: JobChange & { state: JobRecord['state'] }): Promise<JobRecord> {
    const ended = { ...job, ...change }
    await this.#write(ended, change, change.state as JobPhase)
    return ended
  }

  /** Waits for a store that is away; what is not written when the server stops is done again by the next start. */
  async #write(job: JobRecord, change: JobChange, phase: JobPhase | undefined): Promise<void> {
    const { parts } = this.#options
    for (;;) {
      try {
        const deliveries = phase === undefined ? [] : await this.#deliveries(job, phase)
        await parts.store.jobs.change(job.jobId, change, deliveries)
        return
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'STORE_UNAVAILABLE' || this.#isClosing) throw error
        await delay(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  async #deliveries(job: JobRecord, phase: JobPhase) {
    const { parts } = this.#options
    const event = jobKinds[job.kind].events[phase]
    const meeting = event && (await parts.store.meetings.get(job.meetingId))
    if (!event || !meeting) return []
    const { jobId: about, sessionId, webhookUrl: also } = job
    return parts.announce(meeting, {
      event,
      sessionId,
      at: parts.now(),
      details: jobDetails(job),
      also,
      about,
    })
  }
}

const spanOf = ({ startedAt, endedAt }: { startedAt: number; endedAt: number }) => ({ startedAt, endedAt })

function sentenceOf(error: unknown): string {
  return error instanceof JobProblem ? error.message : 'The files could not be processed.'
}
