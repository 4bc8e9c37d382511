/**
 * One session of a meeting: admissions and removals, and what its participants share. What must survive a
 * restart is also in the store, and `Session.restore` reads it from there.
 */
import type { Notification } from '../../protocol/notifications.ts'
import type { MeetingRecord, SessionRecord, SessionValue, StayRecord, Store } from '../../store/store.ts'
import type { OpenAudience } from '../link.ts'
import type { MeetingSettings } from '../settings.ts'
import type { Holder } from '../../shares.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import { Chat } from '../chat/chat.ts'
import { Admissions } from '../door/admission.ts'
import { Removals, type Candidate } from '../door/removals.ts'
import { refusalToWrite } from '../roster/rules.ts'
import { Polls, type KeptPolls } from '../polls/polls.ts'
import { KeptValues } from '../values/kept-values.ts'
import { RealtimeStore } from '../values/realtime-store.ts'
import { SharedFiles, type KeptFile } from '../values/shared-files.ts'
import { decisionsFrom, isCoHost, noDecisions, type Decisions } from './decisions.ts'
import { SessionLog, type Announce } from './session-log.ts'

export interface SessionOptions {
  meeting: MeetingRecord
  settings: MeetingSettings
  store: Store
  openAudience: OpenAudience
  tellAll: (notification: Notification) => void
  announce: Announce
  now: () => number
  /** Makes unguessable ids: message ids, file ids. */
  newSecretId: () => string
  onError: (error: unknown, message: string) => void
}

interface RestoredParts {
  chat: Awaited<ReturnType<Store['chat']['held']>>
  polls: KeptPolls
  files: readonly KeptFile[]
  values: readonly SessionValue[]
}

/** Longer than any client tries to reconnect. */
const RETURN_MS = 120_000
/** How many recent departures are remembered for returning clients. */
const MAX_DEPARTED = 1000

export class Session {
  readonly sessionId: string
  readonly startedAt: number
  /** The last instant at which a restored session is known to have been in use; cleared when somebody returns. */
  lastKnownAt: number | undefined
  readonly log: SessionLog
  /** Guests who were admitted. */
  readonly admitted = new Admissions()
  /** Participants who have joined. */
  readonly known = new Admissions()
  readonly removals = new Removals()
  #decisions = noDecisions
  readonly chat: Chat
  readonly polls: Polls
  readonly values: RealtimeStore
  /** Undefined for a server that is alone. */
  readonly #keptValues: KeptValues | undefined
  readonly #files: SharedFiles
  readonly #store: Store
  /** participantId → when it left, for clients that were disconnected then and missed it. */
  readonly #departed = new Map<string, number>()
  /** Settles when the removals and liftings requested so far are done. */
  #removing: Promise<unknown> = Promise.resolve()

  constructor(
    { sessionId, startedAt }: Pick<SessionRecord, 'sessionId' | 'startedAt'>,
    options: SessionOptions,
    kept?: RestoredParts,
  ) {
    const { meeting, settings, store, now, newSecretId, onError, openAudience, tellAll, announce } = options
    this.sessionId = sessionId
    this.startedAt = startedAt
    this.log = new SessionLog({ sessionId, startedAt, meeting, store, announce, now, onError })
    this.chat = new Chat(
      {
        sessionId,
        limits: settings,
        log: {
          append: (message) => store.chat.append({ ...message, sessionId }),
          newest: (most, to, filter) => store.chat.newest(sessionId, most, to, filter),
          read: (stretch, filter) => store.chat.read(sessionId, stretch, filter),
        },
        now,
        newMessageId: newSecretId,
        refusalOf: ({ authority }, topic) =>
          refusalToWrite(this.#decisions.rules, authority.canModerate, topic),
        onError,
      },
      kept?.chat,
    )
    this.polls = new Polls({ sessionId, store: store.polls, tellAll, now, newSecretId }, kept?.polls)
    this.#store = store
    this.#files = new SharedFiles(settings, { newSecretId, kept: kept?.files ?? [] })
    this.#keptValues =
      store.sessionValues && new KeptValues({ sessionId, store: store.sessionValues, onError })
    this.values = new RealtimeStore({
      maxKeys: settings.maxStoreKeys,
      openAudience: (key) => openAudience(`value:${sessionId}:${key}`),
      kept: kept?.values ?? [],
      onSet: this.#keptValues?.set,
    })
  }

  /**
   * Restores the session that a stopped server left behind. Its participants count as disconnected.
   * @param lastAliveAt the last instant at which that server is known to have run
   */
  static async restore(
    left: SessionRecord,
    options: SessionOptions,
    lastAliveAt: number | undefined,
  ): Promise<Session> {
    const { store, now } = options
    const { sessionId } = left
    const session = new Session(left, options, {
      chat: await store.chat.held(sessionId),
      polls: { polls: await store.polls.list(sessionId), votes: await store.polls.votes(sessionId) },
      files: await store.files.list(sessionId),
      values: (await store.sessionValues?.list(sessionId)) ?? [],
    })
    session.#decisions = decisionsFrom(await store.sessions.decisions(sessionId))
    for (const removal of await store.sessions.removals(sessionId)) session.removals.add(removal)
    for (const { participantId, tokenId } of await store.sessions.admissions(sessionId))
      session.admitted.add(participantId, tokenId)
    const stays = await store.sessions.stays(sessionId)
    session.lastKnownAt = lastKnown(left.startedAt, stays, lastAliveAt)
    for (const { participantId, name, joinedAt, leftAt, tokenId } of stays) {
      if (tokenId !== null) session.known.add(participantId, tokenId)
      session.#departed.set(participantId, leftAt ?? now())
      if (leftAt !== null) continue
      const at = Math.max(joinedAt, lastAliveAt ?? joinedAt)
      session.log.left({ id: participantId, name, joinedAt }, 'WEBSOCKET_DISCONNECTED', at)
    }
    return session
  }

  /** What moderators decided: the rules, and who moderates with them. */
  get decisions(): Decisions {
    return this.#decisions
  }

  /** Call this `inTurn`. Writes the decisions before they hold, so that a crash undoes none that was acknowledged. */
  async decide(decisions: Decisions): Promise<void> {
    await this.#store.sessions.decide(this.sessionId, JSON.stringify(decisions))
    this.#decisions = decisions
  }

  isCoHost(participantId: string, tokenId: string): boolean {
    return isCoHost(this.#decisions, { participantId, tokenId })
  }

  /** Whether somebody was admitted or inside with this id and token. */
  knows(participantId: string, tokenId: string): boolean {
    return this.known.has(participantId, tokenId) || this.admitted.has(participantId, tokenId)
  }

  /** Stores a file until the session ends. Returns its id. @throws {Refusal} PAYLOAD_TOO_LARGE */
  async keepFile(holder: Holder, file: Uint8Array): Promise<string> {
    const bytes = file.length
    const fileId = this.#files.take(holder, bytes)
    try {
      await this.#store.files.put(this.sessionId, fileId, file)
    } catch (error) {
      this.#files.giveBack({ fileId, bytes })
      throw error
    }
    return fileId
  }

  /** The session is to go on, here or elsewhere. Resolves when its shared values are written. */
  async suspend(): Promise<void> {
    this.log.stop()
    this.close()
    await this.#keptValues?.stop()
  }

  /** Nobody hears anything of it any more. */
  close(): void {
    this.chat.close()
    this.polls.close()
  }

  /** Deletes the files and shared values of a session that has ended. */
  async dropFiles(): Promise<void> {
    await Promise.all([this.#store.files.drop(this.sessionId), this.#keptValues?.drop()])
  }

  keepsOut(candidate: Candidate): boolean {
    return this.removals.keepOut(candidate)
  }

  /** Runs removals, liftings and changes of the rules one after the other, because whether a token counts as shared depends on earlier removals. */
  inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#removing.then(work)
    this.#removing = done.catch(() => undefined)
    return done
  }

  departed(participantId: string, at: number): void {
    this.#departed.delete(participantId)
    this.#departed.set(participantId, at)
    if (this.#departed.size > MAX_DEPARTED) this.#departed.delete(this.#departed.keys().next().value!)
  }

  /**
   * Participants who left while a joiner may have been disconnected. Published clients keep those who were there before (contract,
   * signalling §2.5), and ignore unknown ones.
   */
  departures(now: number, isHere: (participantId: string) => boolean): Notification[] {
    for (const [id, at] of this.#departed) if (at < now - RETURN_MS || isHere(id)) this.#departed.delete(id)
    const reason = leaveReason('WEBSOCKET_DISCONNECTED')
    return [...this.#departed.keys()].map((peerId) => ({ method: 'peerClosed', peerId, reason }))
  }
}

/** The last known instant of a session that a stopped server left behind. */
function lastKnown(startedAt: number, stays: readonly StayRecord[], lastAliveAt: number | undefined): number {
  let last = startedAt
  for (const { joinedAt, leftAt } of stays) {
    last = Math.max(last, joinedAt, leftAt ?? Math.max(joinedAt, lastAliveAt ?? joinedAt))
  }
  return last
}

export function noSession(): Refusal {
  return new Refusal('NOT_FOUND', { message: 'The meeting has no ongoing session.' })
}
