/**
 * Records what happens in one session: who was inside when, with which streams and in which mode. Each fact is written
 * together with the deliveries that report it, so that neither exists without the other. Events cannot be
 * rejected after the fact: while the store is unavailable, they are buffered in order and written when it recovers.
 */
import type { StreamKind } from '../../protocol/media.ts'
import type { MeetingFact } from '../../protocol/webhooks.ts'
import type { MeetingRecord, NewDelivery, Store } from '../../store/store.ts'
import type { Participant } from '../roster/participant.ts'
import { Refusal } from '../../protocol/errors.ts'

/** The webhook deliveries for a fact. Pure. */
export type Announce = (meeting: MeetingRecord, fact: MeetingFact) => NewDelivery[]

export interface SessionLogOptions {
  sessionId: string
  meeting: MeetingRecord
  startedAt: number
  store: Store
  announce: Announce
  now: () => number
  onError: (error: unknown, message: string) => void
}

/** The delay before a retry. */
const RETRY_MS = 1000
/** How many streams and modes are buffered while the store is unavailable; joins and leaves are always buffered. */
const MAX_BEHIND = 10_000

type Write = () => Promise<unknown>

export class SessionLog {
  readonly #options: SessionLogOptions
  /** Buffered writes, oldest first. */
  readonly #behind: { write: Write; message: string }[] = []
  #catchingUp: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  /** Pending leaves by participant; a join of the same participant must not overtake them. */
  readonly #leaving = new Map<string, Promise<void>>()

  constructor(options: SessionLogOptions) {
    this.#options = options
  }

  async started(): Promise<void> {
    const { sessionId, meeting, startedAt, store } = this.#options
    await store.sessions.start(
      {
        sessionId,
        meetingId: meeting.meetingId,
        projectId: meeting.projectId,
        startedAt,
        endedAt: null,
        endReason: null,
      },
      this.#tell({ event: 'session-started', at: startedAt }),
    )
  }

  /** Calls `written` after the write, possibly much later; until then, readers of the store still see an ongoing session. */
  ended(at: number, reason: string, written: () => void): Promise<void> {
    const { sessionId, startedAt, store } = this.#options
    const tell = this.#tell({ event: 'session-ended', at, startedAt, reason })
    return this.#record(
      () => store.sessions.end(sessionId, at, reason, tell).then(written),
      'failed to record the end of a session',
    )
  }

  /** Writes what is buffered. @throws {Refusal} STORE_UNAVAILABLE if that is not possible yet */
  catchUp(): Promise<void> {
    clearTimeout(this.#retry)
    this.#catchingUp ??= this.#writeBehind().finally(() => {
      this.#catchingUp = undefined
    })
    return this.#catchingUp
  }

  /** Stops retrying: the server stops, and the next start repairs what is missing. */
  stop(): void {
    clearTimeout(this.#retry)
    this.#behind.length = 0
  }

  /**
   * Resolves when the stay has reached the disk. One who `returns` to the session may come in while the store is unavailable:
   * the stay is then written later.
   */
  async joined(
    participant: Participant,
    device: Record<string, unknown> | null,
    returns = false,
  ): Promise<void> {
    const { sessionId, store, now } = this.#options
    const { id: participantId, name, mode, tokenId, grant } = participant
    await this.#leaving.get(participantId)
    if (!returns) await this.catchUp()
    const joinedAt = now()
    participant.joinedAt = joinedAt
    const stay = {
      sessionId,
      participantId,
      name,
      joinedAt,
      leftAt: null,
      leaveReason: null,
      device,
      tokenId,
      apiKey: grant.apiKey,
    }
    const tell = this.#tell({ event: 'participant-joined', at: joinedAt, participantId, name })
    const write = (): Promise<void> => store.sessions.join(stay, mode, tell)
    if (!returns) return write()
    await this.#record(write, 'recording a return').catch((error: unknown) => {
      if (!isUnavailable(error)) throw error
    })
  }

  left(
    { id, name, joinedAt }: Pick<Participant, 'id' | 'name' | 'joinedAt'>,
    reason: string,
    now = this.#options.now(),
  ): void {
    const { sessionId, store } = this.#options
    // The clock may have been set back meanwhile.
    const at = Math.max(now, joinedAt)
    const tell = this.#tell({ event: 'participant-left', at, participantId: id, name })
    const done = this.#record(
      () => store.sessions.leave(sessionId, id, at, reason, tell),
      'failed to record a leave',
    )
    const leaving = done
      .catch(() => undefined)
      .finally(() => {
        if (this.#leaving.get(id) === leaving) this.#leaving.delete(id)
      })
    this.#leaving.set(id, leaving)
  }

  /** Records that a stream of this kind went on or off. */
  streamed({ id }: Participant, kind: StreamKind, on: boolean): void {
    const { sessionId, store, now } = this.#options
    if (this.#behind.length >= MAX_BEHIND) return
    const at = now()
    const interval = { sessionId, participantId: id, kind, value: '', startedAt: at, endedAt: null }
    this.#later(
      on
        ? () => store.sessions.openInterval(interval)
        : () => store.sessions.closeInterval(sessionId, id, kind, at),
      'failed to record a stream',
    )
  }

  changedMode({ id, mode }: Participant): void {
    const { sessionId, store, now } = this.#options
    if (this.#behind.length >= MAX_BEHIND) return
    const at = now()
    const interval = {
      sessionId,
      participantId: id,
      kind: 'mode' as const,
      value: mode,
      startedAt: at,
      endedAt: null,
    }
    this.#later(async () => {
      await store.sessions.closeInterval(sessionId, id, 'mode', at)
      await store.sessions.openInterval(interval)
    }, 'failed to record a mode')
  }

  #tell(fact: OwnFact): NewDelivery[] {
    const { meeting, sessionId, announce } = this.#options
    return announce(meeting, { ...fact, sessionId })
  }

  #later(write: Write, message: string): void {
    this.#record(write, message).catch(() => undefined)
  }

  /** Rejects if it could not be written at once; then it is written later, in order. */
  async #record(write: Write, message: string): Promise<void> {
    if (this.#behind.length === 0) {
      try {
        await write()
        return
      } catch (error) {
        if (isUnavailable(error)) this.#queue(write, message)
        else if (!isFenced(error)) this.#options.onError(error, message)
        throw error
      }
    }
    this.#queue(write, message)
    throw new Refusal('STORE_UNAVAILABLE')
  }

  #queue(write: Write, message: string): void {
    this.#behind.push({ write, message })
    this.#arm()
  }

  #arm(): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.catchUp().catch(() => undefined), RETRY_MS).unref()
  }

  async #writeBehind(): Promise<void> {
    for (let next = this.#behind[0]; next; next = this.#behind[0]) {
      try {
        await next.write()
      } catch (error) {
        if (isUnavailable(error)) {
          this.#arm()
          throw error
        }
        if (!isFenced(error)) this.#options.onError(error, next.message)
      }
      this.#behind.shift()
    }
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'STORE_UNAVAILABLE'
}

/** The meeting is at another node now, which writes what became of it. */
function isFenced(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'SERVER_STOPPING'
}

type WithoutSession<T> = T extends unknown ? Omit<T, 'sessionId'> : never
type OwnFact = WithoutSession<MeetingFact>
