/**
 * What leaves one meeting. There is one output of a kind at a time; for participants, one of each. A start or stop is acknowledged
 * at once; notifications and webhooks tell what becomes of it (docs/decisions/0017).
 */
import type {
  OutputFile,
  OutputListener,
  OutputProblem,
  OutputRun,
  OutputSource,
} from '../../output/output.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { OutputPhase } from '../../protocol/webhooks.ts'
import type { MeetingRecord, OutputChange, OutputKind, OutputRecord, OutputState } from '../../store/store.ts'
import type { Actor } from '../roster/actor.ts'
import type { OutputOrdered } from './orders.ts'
import type { OutputParts } from './parts.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../../protocol/errors.ts'
import { assertMay } from '../roster/actor.ts'
import { Whiteboard } from '../whiteboard/whiteboard.ts'
import { errorNotification, notificationsOf, outputKinds, playableNotification } from './kinds.ts'
import { autoStartOrders, slotOf, storable } from './orders.ts'
import { deliveriesOf, engineOf, fileRecords } from './parts.ts'

export interface MeetingOutputsOptions {
  parts: OutputParts
  meeting: () => MeetingRecord
  sessionId: () => string | undefined
  sourceFor: (outputId: string) => OutputSource
  /** Whether somebody sends what only its receivers can decode. */
  isEncrypted: () => boolean
  tellAll: (notification: Notification) => void
  /** Ends the session for everybody. */
  endSession: () => Promise<void>
}

/** An output from its start until it is written that it ended. */
interface Running {
  record: OutputRecord
  run: OutputRun
  playable: boolean
  /** When it was stopped; its files may be ready much later. */
  stoppedAt?: number
  /** What is still to be told and written of it, in order. */
  turn: Promise<void>
}

export interface Acknowledged {
  output: OutputRecord
  /** Call this after the caller was answered: tells everybody. */
  afterReply: () => void
}

const NO_SESSION = 'The meeting has no ongoing session.'
/** How long a write waits for a store that is away. */
const RETRY_MS = 1000
/** From the error that a recording was lost until the meeting ends for it. */
const CLOSING_MS = 1000

export class MeetingOutputs {
  readonly #options: MeetingOutputsOptions
  readonly #running = new Map<string, Running>()
  #autoStartedIn: string | undefined
  readonly whiteboard: Whiteboard

  constructor(options: MeetingOutputsOptions) {
    this.#options = options
    const { parts, meeting, tellAll } = options
    const { meetingId } = meeting()
    this.whiteboard = new Whiteboard({
      meetingId,
      newSecretId: parts.newSecretId,
      tellAll,
      whyNot: () => (this.#canStart ? undefined : NO_SESSION),
    })
  }

  get #canStart(): boolean {
    const { parts, sessionId } = this.#options
    return sessionId() !== undefined && !parts.isStopping
  }

  /** The outputs that go on. */
  all(): OutputRecord[] {
    return [...this.#running.values()].map(({ record }) => record)
  }

  /** The states of the outputs, for a participant who joins. */
  notifications(): Notification[] {
    const told = [...this.#running.values()].flatMap(({ record, playable }) => [
      ...notificationsOf(record, shown(record.state)),
      ...(playable && record.state === 'started' ? [playableNotification(record)] : []),
    ])
    return [...told, ...this.whiteboard.notifications()]
  }

  /**
   * @throws {Refusal} INVALID_PERMISSIONS, ADD_ON_SERVICES_DISABLED, the kind's refusal of a start, or a limit of this machine; then
   * nothing was started
   */
  async start(by: Actor, order: OutputOrdered): Promise<Acknowledged> {
    const { parts, meeting, sessionId: ongoing, sourceFor, isEncrypted } = this.#options
    const { kind, baseUrl, webhookUrl, uploadTo } = order
    const { startFailed, processing } = outputKinds[kind]
    assertMay(by, 'output')
    const sessionId = ongoing()
    if (sessionId === undefined || !this.#canStart) throw new Refusal(startFailed, { message: NO_SESSION })
    const { unavailable } = parts.engines[kind]
    if (unavailable !== undefined) throw new Refusal('ADD_ON_SERVICES_DISABLED', { message: unavailable })
    const slot = slotOf(order)
    const before = this.#running.get(slot)
    if (before?.record.state === 'stopping') throw new Refusal(processing)
    if (before) throw new Refusal(startFailed, { message: 'One is starting or running already.' })
    const problem = webhookUrl === null ? undefined : parts.problemOfWebhook(webhookUrl)
    if (problem !== undefined) throw new Refusal('INVALID_REQUEST', { message: `The webhookUrl ${problem}.` })
    const wrong = uploadTo === undefined ? undefined : parts.problemOfUpload(uploadTo)
    if (wrong !== undefined)
      throw new Refusal('INVALID_REQUEST', { message: `The address to upload to ${wrong}.` })
    if (isEncrypted())
      throw new Refusal(startFailed, {
        message: 'The media of this meeting is end-to-end encrypted, so the server cannot decode it.',
      })
    const { meetingId, projectId } = meeting()
    const { participantId = null } = order.config as { participantId?: string }
    const record: OutputRecord = {
      outputId: parts.newOutputId(),
      kind,
      projectId,
      meetingId,
      sessionId,
      participantId,
      config: storable(order),
      secret: parts.newSecretId(),
      baseUrl,
      webhookUrl,
      state: 'starting',
      createdAt: parts.now(),
      startedAt: null,
      endedAt: null,
      files: [],
      storedAt: null,
    }
    const { outputId } = record
    // What the engine reports, and the end of the session, wait until the start is written and answered.
    const begun = Promise.withResolvers<undefined>()
    begun.promise.catch(() => undefined)
    let running: Running
    try {
      const place = { outputId, folder: parts.makeFolder(outputId), source: sourceFor(outputId) }
      const engine = engineOf(parts.engines, kind)
      const run = engine.start(
        { ...place, config: order.config },
        this.#listener(() => running),
      )
      running = { record, run, playable: false, turn: begun.promise }
    } catch (error) {
      await parts.dropFolder(outputId)
      throw error
    }
    this.#running.set(slot, running)
    try {
      const deliveries = deliveriesOf(parts, meeting(), record, 'starting')
      await parts.store.outputs.create(record, deliveries, uploadTo)
    } catch (error) {
      this.#running.delete(slot)
      begun.reject(error)
      this.#track(this.#undo(running))
      throw error
    }
    return {
      output: record,
      afterReply: () => {
        this.#tell(record, ...notificationsOf(record, 'starting'))
        begun.resolve(undefined)
      },
    }
  }

  /** The first participant has joined: starts what the meeting's settings say, once in a session. */
  autoStart(baseUrl: string): void {
    const { parts, meeting, sessionId } = this.#options
    const now = sessionId()
    if (this.#autoStartedIn === now) return
    this.#autoStartedIn = now
    for (const order of autoStartOrders(meeting().settings.autoStartConfig, baseUrl))
      this.start('server', order).then(
        ({ afterReply }) => afterReply(),
        (error: unknown) => parts.onError(error, 'failed to start an output with the session'),
      )
  }

  /**
   * @param matches which one, where there may be several of its kind
   * @throws {Refusal} INVALID_PERMISSIONS, or the kind's refusal of a stop
   */
  stop(by: Actor, kind: OutputKind, matches: (output: OutputRecord) => boolean = () => true): Acknowledged {
    assertMay(by, 'output')
    const found = [...this.#running].find(
      ([, { record }]) => record.kind === kind && isOn(record.state) && matches(record),
    )
    if (!found) throw new Refusal(outputKinds[kind].stopFailed)
    const [slot, running] = found
    this.#stopping(running)
    return {
      output: running.record,
      afterReply: () => this.#finish(slot, running),
    }
  }

  /** The session ends: everything stops. What they saved is written as they end. */
  endAll(): void {
    this.whiteboard.end()
    for (const [slot, running] of [...this.#running]) {
      if (!isOn(running.record.state)) continue
      this.#stopping(running)
      this.#finish(slot, running)
    }
  }

  /** The start could not be written; its caller does not wait for the engine. */
  async #undo({ record, run }: Running): Promise<void> {
    const { parts } = this.#options
    try {
      await run.stop()
      await parts.dropFolder(record.outputId)
    } catch (error) {
      parts.onError(error, 'failed to undo the start of an output')
    }
  }

  #finish(slot: string, running: Running): void {
    this.#track(this.#end(slot, running))
  }

  #track(work: Promise<void>): void {
    const { ending } = this.#options.parts
    const tracked = work.finally(() => ending.delete(tracked))
    ending.add(tracked)
  }

  async #end(slot: string, running: Running): Promise<void> {
    const { onError } = this.#options.parts
    this.#inTurn(running, () => this.#report(running, 'stopping', { state: 'stopping' }))
    try {
      const files = await running.run.stop()
      await this.#ended(slot, running, files)
    } catch (cause) {
      // What it is made of is kept, and the next start makes it.
      if (cause instanceof Refusal && cause.code === 'SERVER_STOPPING') return
      onError(cause, 'failed to finish an output')
      const problem = { reason: 'failed', message: 'The output could not be finished.', cause } as const
      await this.#ended(slot, running, [], problem)
    }
  }

  #listener(running: () => Running): OutputListener {
    const { parts } = this.#options
    return {
      started: () => {
        // The engine may report before it has returned.
        queueMicrotask(() => {
          const one = running()
          if (one.record.state !== 'starting') return
          this.#change(one, { state: 'started', startedAt: parts.now() })
          const { startedAt } = one.record
          this.#inTurn(one, () => this.#report(one, 'started', { state: 'started', startedAt }))
        })
      },
      playable: () => {
        queueMicrotask(() => {
          const one = running()
          one.playable = true
          this.#inTurn(one, async () => {
            if (one.record.state !== 'started') return
            this.#tell(one.record, playableNotification(one.record))
            await this.#write(one, {}, 'playable')
          })
        })
      },
      transcribed: ({ timestamp, ...transcript }) => {
        queueMicrotask(() => {
          const { record } = running()
          this.#tell(record, { method: 'transcriptionText', ...transcript, timestamp: Math.round(timestamp) })
        })
      },
      ended: (problem, files) => {
        queueMicrotask(() => {
          const one = running()
          const slot = [...this.#running].find(([, other]) => other === one)?.[0]
          // A stop was faster.
          if (slot === undefined || one.record.state === 'stopping') return
          parts.onError(problem.cause ?? new Error(problem.message), 'lost an output')
          this.#change(one, { state: 'stopping' })
          const told = this.#ended(slot, one, files, problem)
          this.#track(told)
          if (one.record.config.onFailure === 'close-room') void told.then(() => this.#closeRoom(one.record))
        })
      },
    }
  }

  /** Whoever started the recording wants no meeting without it. Everybody hears first why it ends. */
  async #closeRoom({ sessionId }: OutputRecord): Promise<void> {
    const { parts, sessionId: ongoing, endSession } = this.#options
    await delay(CLOSING_MS, undefined, { ref: false })
    if (ongoing() !== sessionId) return
    await endSession().catch((error: unknown) =>
      parts.onError(error, 'failed to end a session that cannot be recorded'),
    )
  }

  async #ended(
    slot: string,
    running: Running,
    files: readonly OutputFile[],
    problem?: OutputProblem,
  ): Promise<void> {
    const { parts } = this.#options
    // With something to play it is a recording that stopped early (contract, outputs §4).
    const state = problem && files.length === 0 ? 'failed' : 'stopped'
    const endedAt = running.stoppedAt ?? files.at(-1)?.endedAt ?? parts.now()
    const change = { state, endedAt, files: fileRecords(files, parts.newOutputId) } as const
    this.#inTurn(running, async () => {
      this.#change(running, change)
      await this.#write(running, change, state)
      await parts.followUp(running.record)
      if (this.#running.get(slot) === running) this.#running.delete(slot)
      if (problem) this.#tell(running.record, errorNotification(running.record.kind, problem))
      this.#tell(running.record, ...notificationsOf(running.record, 'stopped'))
    })
    await running.turn
  }

  /** Tells a state, and writes it with its webhooks. */
  async #report(running: Running, state: 'started' | 'stopping', change: OutputChange): Promise<void> {
    this.#tell(running.record, ...notificationsOf(running.record, state))
    await this.#write(running, change, state)
  }

  #stopping(running: Running): void {
    running.stoppedAt = this.#options.parts.now()
    this.#change(running, { state: 'stopping' })
  }

  #change(running: Running, change: OutputChange): void {
    running.record = { ...running.record, ...change }
  }

  #inTurn(running: Running, work: () => Promise<void>): void {
    const { onError } = this.#options.parts
    running.turn = running.turn
      .then(work)
      .catch((error: unknown) => onError(error, 'failed to report an output'))
  }

  /** Waits for a store that is away; what is not written when the server stops is repaired by the next start. */
  async #write({ record }: Running, change: OutputChange, event: OutputPhase): Promise<void> {
    const { parts, meeting } = this.#options
    const deliveries = deliveriesOf(parts, meeting(), record, event)
    for (;;) {
      try {
        await parts.store.outputs.change(record.outputId, change, deliveries)
        return
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'STORE_UNAVAILABLE' || parts.isStopping) throw error
        await delay(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  /** Another session is told nothing of this one's outputs. */
  #tell({ sessionId }: OutputRecord, ...notifications: Notification[]): void {
    const { tellAll, sessionId: ongoing } = this.#options
    if (ongoing() === sessionId) for (const notification of notifications) tellAll(notification)
  }
}

const isOn = (state: OutputState): boolean => state === 'starting' || state === 'started'

const shown = (state: OutputState): Exclude<OutputState, 'failed'> => (state === 'failed' ? 'stopped' : state)
