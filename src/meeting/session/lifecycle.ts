/**
 * The lifecycle of a meeting's sessions, one after the other: a session begins with the first seat, lasts while somebody is inside and for the
 * grace period after that, and ends once.
 */
import type { Holder } from '../../shares.ts'
import type { StreamKind } from '../../protocol/media.ts'
import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { AutoClose as AutoCloseConfig, SessionRecord } from '../../store/store.ts'
import type { Events } from '../events.ts'
import type { MeetingEvents } from '../meeting-events.ts'
import type { SessionLog } from './session-log.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import { refusalToSend, type Sender } from '../roster/rules.ts'
import { AutoClose } from './auto-close.ts'
import { Grace } from './grace.ts'
import { noSession, Session, type SessionOptions } from './session.ts'

export interface LifecycleOptions extends Omit<SessionOptions, 'meeting'> {
  /** The present meeting record. */
  meeting: () => SessionOptions['meeting']
  newSessionId: () => string
  events: Events<MeetingEvents>
  isSomebodyEntering: () => boolean
  /** Whether the session goes on although nobody is inside. */
  isHeld: () => Promise<boolean>
  /** A session is about to be written; its resources can be prepared. */
  onBeginning: () => void
  /** The session ends: evict everybody. */
  onEnding: (reason: LeaveReason) => void
  /** There is no session any more: it ended or could not begin. */
  onOver: () => void
  /** Nothing is left to do: there is no session, none is beginning, and the end of the last one is saved. */
  onIdle: () => void
  autoClose: (type: AutoCloseConfig['type']) => Promise<void>
}

export class SessionLifecycle {
  readonly #options: LifecycleOptions
  readonly #grace: Grace
  readonly #autoClose: AutoClose
  #session: Session | undefined
  /** Counts how often somebody came. */
  #visits = 0
  #isSuspended = false
  #starting: Promise<Session> | undefined
  /** The session that has ended but whose end is not saved yet. */
  #unwritten: SessionLog | undefined

  constructor(options: LifecycleOptions) {
    this.#options = options
    const { settings, now, onError, isSomebodyEntering } = options
    this.#grace = new Grace({
      graceMs: settings.sessionGraceMs,
      joinTimeoutMs: settings.joinTimeoutMs,
      isSomebodyEntering,
      onOver: () => {
        this.#endEmpty().then(
          () => options.onIdle(),
          (error: unknown) => onError(error, 'failed to end an empty session'),
        )
      },
    })
    this.#autoClose = new AutoClose({ now, onError, close: options.autoClose })
  }

  get current(): Session | undefined {
    return this.#session
  }

  /** @throws {Refusal} NOT_FOUND if there is no ongoing session */
  get required(): Session {
    if (!this.#session) throw noSession()
    return this.#session
  }

  /** Stores a file until the session ends. Returns its id. @throws {Refusal} UNAUTHORIZED_REQUEST, PAYLOAD_TOO_LARGE */
  async keepFile(holder: Holder, file: Uint8Array): Promise<string> {
    const session = this.#session
    if (!session) throw new Refusal('UNAUTHORIZED_REQUEST')
    const fileId = await session.keepFile(holder, file)
    if (this.#session === session) return fileId
    // The folder was deleted before the file was written.
    await session.dropFiles()
    throw noSession()
  }

  /** Why the rules forbid this participant a stream of this kind, if they do. */
  refusalToSend(sender: Sender, kind: StreamKind): Refusal | undefined {
    return this.#session && refusalToSend(this.#session.decisions.rules, sender, kind)
  }

  get isIdle(): boolean {
    return !this.#isOn() && !this.#unwritten
  }

  /** Resumes the session that a stopped server left behind. */
  async restore(left: SessionRecord, lastAliveAt: number | undefined): Promise<void> {
    const session = await Session.restore(left, this.#sessionOptions(), lastAliveAt)
    this.#hold(session, this.#options.settings.takeoverGraceMs)
  }

  /** The ongoing session, or a new one. A failed attempt leaves nothing behind. */
  async ensure(): Promise<Session> {
    if (this.#session) return this.#session
    this.#options.onBeginning()
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined))
    try {
      return await this.#starting
    } catch (error) {
      // Another request may have started one in the meantime.
      if (!this.#isOn()) this.#options.onOver()
      this.#options.onIdle()
      throw error
    }
  }

  /** Resolves when a session that is beginning has begun or failed. */
  async settled(): Promise<void> {
    await this.#starting?.catch(() => undefined)
  }

  /** Call this when somebody is inside. */
  keep(): void {
    this.#visits++
    this.#grace.stop()
  }

  /** Call this when nobody is inside: the session ends after the grace period. */
  letGo(): void {
    this.#grace.begin()
  }

  /** Idempotent. Resolves when the end has been written. */
  async end(reason: LeaveReason, why: string): Promise<void> {
    const { now, onEnding, onOver, onIdle, onError, events } = this.#options
    this.#grace.stop()
    this.#autoClose.cancel()
    const session = this.#session
    if (!session) return
    onEnding(reason)
    this.#grace.stop()
    this.#session = undefined
    session.close()
    onOver()
    const { sessionId, startedAt, log } = session
    const { meetingId } = this.#options.meeting()
    // The clock may have been set back in the meantime.
    const endedAt = Math.max(startedAt, session.lastKnownAt ?? now())
    this.#unwritten = log
    await log.ended(endedAt, why, () => {
      this.#unwritten = undefined
      session.dropFiles().catch((error: unknown) => onError(error, 'failed to delete the files of a session'))
      events.emit('sessionEnded', { meetingId, sessionId, startedAt, endedAt, reason: why })
      onIdle()
    })
  }

  /** The server stops: keeps the session for the next start. */
  async suspend(): Promise<void> {
    this.#isSuspended = true
    this.#autoClose.cancel()
    this.#grace.stop()
    this.#unwritten?.stop()
    await this.#session?.suspend()
  }

  async #endEmpty(): Promise<void> {
    const { isHeld, isSomebodyEntering, onError } = this.#options
    const [session, visits, wereEntering] = [this.#session, this.#visits, isSomebodyEntering()]
    const held = await isHeld().catch((error: unknown) => {
      onError(error, 'failed to look whether a session goes on')
      return true
    })
    // Somebody returned meanwhile, the session ended, or it is to go on elsewhere.
    if (this.#visits !== visits || this.#session !== session || this.#isSuspended) return
    const isAwaited = held || (isSomebodyEntering() && !wereEntering)
    if (!isAwaited) await this.end(leaveReason('ROOM_CLOSE'), 'empty')
    else if (session) this.#grace.begin()
  }

  #isOn(): boolean {
    return this.#session !== undefined || this.#starting !== undefined
  }

  async #start(): Promise<Session> {
    const { now, newSessionId, events } = this.#options
    await this.#unwritten?.catchUp()
    const begun = { sessionId: newSessionId(), startedAt: now() }
    const session = new Session(begun, this.#sessionOptions())
    await session.log.started()
    this.#hold(session)
    events.emit('sessionStarted', { meetingId: this.#options.meeting().meetingId, ...begun })
    return session
  }

  #hold(session: Session, graceAtLeastMs?: number): void {
    this.#session = session
    const { autoCloseConfig } = this.#options.meeting().settings
    if (autoCloseConfig) this.#autoClose.arm(session.startedAt, autoCloseConfig)
    this.#grace.begin(graceAtLeastMs)
  }

  #sessionOptions(): SessionOptions {
    return { ...this.#options, meeting: this.#options.meeting() }
  }
}
