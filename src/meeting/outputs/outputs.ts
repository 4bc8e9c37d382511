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
import type { MeetingRecord, OutputKind, OutputPiece, OutputRecord } from '../../store/store.ts'
import type { Actor } from '../roster/actor.ts'
import type { OutputOrdered } from './orders.ts'
import type { OutputParts } from './parts.ts'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../../protocol/errors.ts'
import { assertMay } from '../roster/actor.ts'
import { Whiteboard } from '../whiteboard/whiteboard.ts'
import { errorNotification, notificationsOf, outputKinds, playableNotification } from './kinds.ts'
import { autoStartOrders } from './auto-start.ts'
import { slotOf, storable } from './orders.ts'
import { deliveriesOf, engineOf, fileRecords } from './parts.ts'
import { handIn, inPiece, pieceFolder, pieceName, tellMissing } from './pieces.ts'
import { RunningOutput, shown } from './running.ts'

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

export interface Acknowledged {
  output: OutputRecord
  /** Call this after the caller was answered: tells everybody. */
  afterReply: () => void
}

const NO_SESSION = 'The meeting has no ongoing session.'
const CUT = 'The connection to its receivers was lost with the server that had it.'
const NOTHING: OutputRun = { stop: () => Promise.resolve([]) }
/** From the error that a recording was lost until the meeting ends for it. */
const CLOSING_MS = 1000

export class MeetingOutputs {
  readonly #options: MeetingOutputsOptions
  readonly #running = new Map<string, RunningOutput>()
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
    const { parts, meeting, sessionId: ongoing, isEncrypted } = this.#options
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
      apiKey: by === 'server' ? (order.apiKey ?? null) : by.grant.apiKey,
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
    let running: RunningOutput
    try {
      const run = this.#begin(record, 1, order.config, () => running)
      running = this.#made({ record, run, piece: 1, after: begun.promise })
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
      parts.making.delete(pieceName(outputId, 1))
      begun.reject(error)
      this.#track(this.#undo(running))
      throw error
    }
    return {
      output: record,
      afterReply: () => {
        running.tell(...notificationsOf(record, 'starting'))
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
    const failed = (error: unknown): void =>
      parts.onError(error, 'failed to start an output with the session')
    try {
      for (const order of autoStartOrders(meeting().settings.autoStartConfig, baseUrl))
        this.start('server', order).then(({ afterReply }) => afterReply(), failed)
    } catch (error) {
      // The settings may be of another version, and the participant must get in.
      failed(error)
    }
  }

  /**
   * @param matches which one, where there may be several of its kind
   * @throws {Refusal} INVALID_PERMISSIONS, or the kind's refusal of a stop
   */
  stop(by: Actor, kind: OutputKind, matches: (output: OutputRecord) => boolean = () => true): Acknowledged {
    assertMay(by, 'output')
    const found = [...this.#running].find(
      ([, { record, isOn }]) => record.kind === kind && isOn && matches(record),
    )
    if (!found) throw new Refusal(outputKinds[kind].stopFailed)
    const [slot, running] = found
    running.stopping()
    return {
      output: running.record,
      afterReply: () => this.#finish(slot, running),
    }
  }

  /** The session ends: everything stops. What they saved is written as they end. */
  endAll(): void {
    this.whiteboard.end()
    for (const [slot, running] of [...this.#running]) {
      if (!running.isOn) continue
      running.stopping()
      this.#finish(slot, running)
    }
  }

  /**
   * The meeting goes on at another node, or after the next start, and so do its outputs: hands in what was made of them here. A server
   * alone ends them.
   */
  suspend(): void {
    const { parts } = this.#options
    if (!parts.moves) {
      this.endAll()
      return
    }
    this.whiteboard.end()
    for (const [slot, running] of [...this.#running]) {
      if (!running.isOn) continue
      running.hasMovedOn = true
      this.#running.delete(slot)
      this.#track(handIn(parts, running))
    }
  }

  /** Goes on with the outputs of a session that another node had, or an earlier process of this one. */
  async resume(): Promise<void> {
    const { parts, meeting, sessionId: ongoing } = this.#options
    const sessionId = ongoing()
    if (sessionId === undefined || !parts.moves) return
    // What a moderator stopped does not start again.
    this.#autoStartedIn = sessionId
    for (const one of await parts.store.outputs.pieces.takeOver(meeting().meetingId, sessionId))
      this.#goOn(one)
  }

  #goOn({ output: record, piece }: OutputPiece): void {
    const { kind, config } = record
    const slot = slotOf({ kind, config })
    const after = Promise.resolve()
    let running: RunningOutput
    try {
      // The keys of its receivers are not kept.
      if (kind === 'livestream') throw new Refusal('START_LIVESTREAM_FAILED', { message: CUT })
      const run = this.#begin(record, piece, config, () => running)
      running = this.#made({ record, run, piece, after })
      this.#running.set(slot, running)
    } catch (cause) {
      running = this.#made({ record, run: NOTHING, piece, after })
      this.#running.set(slot, running)
      running.stopping()
      const message = cause instanceof Refusal ? cause.message : 'It could not go on at another server.'
      this.#track(this.#ended(slot, running, [], { reason: 'failed', message, cause }))
    }
  }

  #begin(
    { outputId, kind }: OutputRecord,
    piece: number,
    config: unknown,
    running: () => RunningOutput,
  ): OutputRun {
    const { parts, sourceFor } = this.#options
    const folder = parts.makeFolder(join(outputId, pieceFolder(kind, piece)))
    const order = { outputId, folder, source: sourceFor(outputId), config }
    return engineOf(parts.engines, kind).start(order, this.#listener(running))
  }

  #made(parts: ConstructorParameters<typeof RunningOutput>[1]): RunningOutput {
    this.#options.parts.making.add(pieceName(parts.record.outputId, parts.piece))
    return new RunningOutput(this.#options, parts)
  }

  /** The start could not be written; its caller does not wait for the engine. */
  async #undo({ record, run }: RunningOutput): Promise<void> {
    const { parts } = this.#options
    try {
      await run.stop()
      await parts.dropFolder(record.outputId)
    } catch (error) {
      parts.onError(error, 'failed to undo the start of an output')
    }
  }

  #finish(slot: string, running: RunningOutput): void {
    this.#track(this.#end(slot, running))
  }

  #track(work: Promise<void>): void {
    const { ending } = this.#options.parts
    const tracked = work.finally(() => ending.delete(tracked))
    ending.add(tracked)
  }

  async #end(slot: string, running: RunningOutput): Promise<void> {
    const { onError } = this.#options.parts
    running.inTurn(() => running.report('stopping', { state: 'stopping' }))
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

  #listener(running: () => RunningOutput): OutputListener {
    const { parts } = this.#options
    return {
      started: (sinceMs = 0) => {
        // The engine may report before it has returned.
        queueMicrotask(() => {
          const one = running()
          if (one.record.state !== 'starting' || one.hasMovedOn) return
          const startedAt = Math.round(parts.now() - sinceMs)
          one.change({ state: 'started', startedAt })
          one.inTurn(() => one.report('started', { state: 'started', startedAt }))
        })
      },
      playable: () => {
        queueMicrotask(() => {
          const one = running()
          one.playable = true
          one.inTurn(async () => {
            if (one.record.state !== 'started') return
            one.tell(playableNotification(one.record))
            await one.write({}, 'playable')
          })
        })
      },
      transcribed: ({ timestamp, ...transcript }) => {
        queueMicrotask(() => {
          running().tell({ method: 'transcriptionText', ...transcript, timestamp: Math.round(timestamp) })
        })
      },
      ended: (problem, files) => {
        queueMicrotask(() => {
          const one = running()
          const slot = [...this.#running].find(([, other]) => other === one)?.[0]
          // A stop was faster.
          if (slot === undefined || one.record.state === 'stopping') return
          parts.onError(problem.cause ?? new Error(problem.message), 'lost an output')
          one.change({ state: 'stopping' })
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
    running: RunningOutput,
    files: readonly OutputFile[],
    problem?: OutputProblem,
  ): Promise<void> {
    const { parts } = this.#options
    // With something to play it is a recording that stopped early (contract, outputs §4).
    const isLost = problem && files.length === 0 && running.piece === 1
    const state = isLost ? 'failed' : 'stopped'
    const endedAt = running.stoppedAt ?? files.at(-1)?.endedAt ?? parts.now()
    const made = inPiece(running.record.kind, running.piece, fileRecords(files, parts.newOutputId))
    const change = { state, endedAt, files: made } as const
    running.inTurn(async () => {
      running.change(change)
      await running.write(change, state)
      await parts.followUp(running.record)
      if (running.piece > 1) await tellMissing(parts, running.record)
      if (this.#running.get(slot) === running) this.#running.delete(slot)
      if (problem) running.tell(errorNotification(running.record.kind, problem))
      running.tell(...notificationsOf(running.record, 'stopped'))
    })
    await running.turn
    parts.making.delete(pieceName(running.record.outputId, running.piece))
  }
}
