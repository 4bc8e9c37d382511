/**
 * Writes down what happens in one session: who stayed when, with which streams and in which mode. Each fact goes to the
 * store together with the deliveries that tell it, so that neither is there without the other.
 */
import type { StreamKind } from '../protocol/media.ts'
import type { MeetingFact } from '../protocol/webhooks.ts'
import type { MeetingRecord, NewDelivery, Store } from '../store/store.ts'
import type { Participant } from './participant.ts'

/** Which webhooks hear of a fact, and in which words; a pure function of both. */
export type Announce = (meeting: MeetingRecord, fact: MeetingFact) => NewDelivery[]

export interface SessionLogOptions {
  sessionId: string
  meeting: MeetingRecord
  startedAt: number
  store: Store
  announce: Announce
  now: () => number
  onError: (error: unknown, doing: string) => void
}

export class SessionLog {
  readonly #options: SessionLogOptions

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

  async ended(at: number, reason: string): Promise<void> {
    const { sessionId, startedAt, store } = this.#options
    const tell = this.#tell({ event: 'session-ended', at, startedAt, reason })
    await store.sessions.end(sessionId, at, reason, tell)
  }

  /** Resolves when the stay has reached the disk. */
  async joined(participant: Participant, device: Record<string, unknown> | null): Promise<void> {
    const { sessionId, store, now } = this.#options
    const { id: participantId, name, mode, tokenId } = participant
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
    }
    const tell = this.#tell({ event: 'participant-joined', at: joinedAt, participantId, name })
    await store.sessions.join(stay, mode, tell)
  }

  left({ id, name }: Pick<Participant, 'id' | 'name'>, reason: string, at = this.#options.now()): void {
    const { sessionId, store } = this.#options
    const tell = this.#tell({ event: 'participant-left', at, participantId: id, name })
    this.#record(store.sessions.leave(sessionId, id, at, reason, tell), 'recording a leave')
  }

  /** A stream of this kind went on or off. */
  streamed({ id }: Participant, kind: StreamKind, on: boolean): void {
    const { sessionId, store, now } = this.#options
    const at = now()
    const done = on
      ? store.sessions.openInterval({
          sessionId,
          participantId: id,
          kind,
          value: '',
          startedAt: at,
          endedAt: null,
        })
      : store.sessions.closeInterval(sessionId, id, kind, at)
    this.#record(done, 'recording a stream')
  }

  changedMode({ id, mode }: Participant): void {
    const { sessionId, store, now } = this.#options
    const at = now()
    const change = store.sessions.closeInterval(sessionId, id, 'mode', at).then(() =>
      store.sessions.openInterval({
        sessionId,
        participantId: id,
        kind: 'mode',
        value: mode,
        startedAt: at,
        endedAt: null,
      }),
    )
    this.#record(change, 'recording a mode')
  }

  #tell(fact: OwnFact): NewDelivery[] {
    const { meeting, sessionId, announce } = this.#options
    return announce(meeting, { ...fact, sessionId })
  }

  #record(done: Promise<unknown>, doing: string): void {
    done.catch((error: unknown) => this.#options.onError(error, doing))
  }
}

type WithoutSession<T> = T extends unknown ? Omit<T, 'sessionId'> : never
type OwnFact = WithoutSession<MeetingFact>
