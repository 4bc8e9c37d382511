/** One output from its start until it is written that it ended: its record, and what is told and written of it, in order. */
import type { OutputRun } from '../../output/output.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { OutputPhase } from '../../protocol/webhooks.ts'
import type { MeetingRecord, OutputChange, OutputRecord, OutputState } from '../../store/store.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../../protocol/errors.ts'
import { notificationsOf } from './kinds.ts'
import { deliveriesOf, type OutputParts } from './parts.ts'

export interface RunningOptions {
  parts: OutputParts
  meeting: () => MeetingRecord
  sessionId: () => string | undefined
  tellAll: (notification: Notification) => void
}

/** How long a write waits for a store that is away. */
const RETRY_MS = 1000

export class RunningOutput {
  readonly #options: RunningOptions
  readonly run: OutputRun
  /** Which piece of it this is; more than one if it began at another node. */
  readonly piece: number
  record: OutputRecord
  playable = false
  /** When it was stopped; its files may be ready much later. */
  stoppedAt: number | undefined
  /** It goes on at another node, which tells what becomes of it. */
  hasMovedOn = false
  /** What is still to be told and written of it, in order. */
  turn: Promise<void>

  constructor(
    options: RunningOptions,
    { record, run, piece, after }: Pick<RunningOutput, 'record' | 'run' | 'piece'> & { after: Promise<void> },
  ) {
    this.#options = options
    this.record = record
    this.run = run
    this.piece = piece
    this.turn = after
  }

  get isOn(): boolean {
    return this.record.state === 'starting' || this.record.state === 'started'
  }

  change(change: OutputChange): void {
    this.record = { ...this.record, ...change }
  }

  stopping(): void {
    this.stoppedAt = this.#options.parts.now()
    this.change({ state: 'stopping' })
  }

  inTurn(work: () => Promise<void>): void {
    const { onError } = this.#options.parts
    this.turn = this.turn
      .then(async () => {
        if (!this.hasMovedOn) await work()
      })
      .catch((error: unknown) => {
        if (!isMoved(error)) onError(error, 'failed to report an output')
      })
  }

  /** Tells a state, and writes it with its webhooks. */
  async report(state: 'started' | 'stopping', change: OutputChange): Promise<void> {
    this.tell(...notificationsOf(this.record, state))
    await this.write(change, state)
  }

  /** Waits for a store that is away; what is not written when the server stops is repaired by the next start. */
  async write(change: OutputChange, event: OutputPhase): Promise<void> {
    const { parts, meeting } = this.#options
    const deliveries = deliveriesOf(parts, meeting(), this.record, event)
    for (;;) {
      try {
        await parts.store.outputs.change(this.record.outputId, change, deliveries)
        return
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'STORE_UNAVAILABLE' || parts.isStopping) throw error
        await delay(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  /** Another session is told nothing of this one's outputs. */
  tell(...notifications: Notification[]): void {
    const { tellAll, sessionId } = this.#options
    if (sessionId() === this.record.sessionId) for (const notification of notifications) tellAll(notification)
  }
}

export const shown = (state: OutputState): Exclude<OutputState, 'failed'> =>
  state === 'failed' ? 'stopped' : state

/** Another node goes on with it. */
function isMoved(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'SERVER_STOPPING'
}
