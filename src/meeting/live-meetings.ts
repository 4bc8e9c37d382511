/** The meetings whose home is this process. All REST calls and sockets reach a meeting through here. */
import type { EntryDecision } from '../protocol/notifications.ts'
import type { MeetingInspection } from '../protocol/rest/debug.ts'
import type { LeaveReasonName } from '../protocol/leave-reasons.ts'
import type { MeetingRecord, OutputKind, OutputRecord } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { ChatConnection } from './chat/connection.ts'
import type { BoardConnection, BoardLink, NotConnected } from './whiteboard/whiteboard.ts'
import type { ChatLink } from './chat/link.ts'
import type { RelayRequest } from './across/relay.ts'
import type { Holder } from '../shares.ts'
import type { Directory } from './directory.ts'
import type { LocalHome } from './home.ts'
import { Refusal } from '../protocol/errors.ts'
import { hearFromParent } from './breakouts/hearing.ts'
import type { RoomEvent } from './breakouts/rooms.ts'
import { Events } from './events.ts'
import { inspectMember } from './media/inspection.ts'
import { measureEach } from './media/measure.ts'
import type { Flow } from './media/quality.ts'
import { removerOf, type RemovalView } from './door/removals.ts'
import type { EntryRequest } from './door/lobby.ts'
import { LiveMeeting } from './live-meeting.ts'
import type { LiveMeetingOptions } from './live-meeting-options.ts'
import { nobodyConsents } from './across/relays.ts'
import type { Bearers } from './door/evictions.ts'
import type { MeetingEvents } from './meeting-events.ts'
import type { Onlooker } from './roster/member.ts'
import type { SwitchableKind } from './roster/rules.ts'
import { outputKinds } from './outputs/kinds.ts'
import type { OutputOrdered } from './outputs/orders.ts'
import type { Acknowledged } from './outputs/outputs.ts'
import { settled } from './outputs/settled.ts'
import { noSession } from './session/session.ts'
import type { RealtimeStore } from './values/realtime-store.ts'
import { emptyView, type LiveView } from './view.ts'

/** The same for all meetings, apart from where their homes are. */
export interface LiveMeetingsOptions extends Omit<
  LiveMeetingOptions,
  'meeting' | 'events' | 'lastAliveAt' | 'onIdle'
> {
  /** The directory of homes. */
  directory: Directory
}

/** How long before a crash the last heartbeat may be. */
const SIGN_OF_LIFE_MS = 5000
const SIGN_OF_LIFE = 'alive-at'

export class LiveMeetings implements LocalHome {
  readonly events: Events<MeetingEvents>
  readonly #options: LiveMeetingsOptions
  readonly #open = new Map<string, Promise<LiveMeeting>>()
  #suspended = false
  #lastAliveAt: number | undefined
  #signsOfLife: NodeJS.Timeout | undefined

  constructor(options: LiveMeetingsOptions) {
    this.#options = options
    this.events = new Events((error) => options.onError(error, 'failed in an event listener'))
  }

  async counts(): Promise<{ meetings: number; participants: number; entryRequests: number }> {
    const counts = { meetings: 0, participants: 0, entryRequests: 0 }
    for (const opening of await Promise.allSettled(this.#open.values())) {
      if (opening.status === 'rejected') continue
      const live = opening.value
      if (live.sessionId !== undefined) counts.meetings++
      counts.participants += live.roster.size
      counts.entryRequests += live.entrance.waiting
    }
    return counts
  }

  /**
   * Resumes the sessions that a stopped server left behind, of meetings whose home is or can be this process; each ends after the
   * grace period if nobody returns.
   */
  async resume(): Promise<void> {
    const { store, directory, now, onError } = this.#options
    const aliveAt = await store.values.get(SIGN_OF_LIFE)
    this.#lastAliveAt = aliveAt === undefined ? undefined : Number(aliveAt)
    this.#signsOfLife = setInterval(() => {
      if (this.#open.size === 0) return
      store.values
        .set(SIGN_OF_LIFE, String(now()))
        .catch((error: unknown) => onError(error, 'failed to write a sign of life'))
    }, SIGN_OF_LIFE_MS).unref()
    // Several nodes share the store: each takes up only what it becomes the home of.
    if (directory.isShared) return
    const ongoing = await store.sessions.listOngoing()
    await store.files.keepOnly(new Set(ongoing.map(({ sessionId }) => sessionId)))
    for (const session of ongoing) {
      const meeting = await store.meetings.get(session.meetingId)
      if (meeting && (await directory.claim(meeting.meetingId)) === 'here') await this.#liveMeeting(meeting)
    }
  }

  /** Opens a meeting whose session another node left behind; it ends after the grace period if nobody returns. */
  async adopt(meetingId: string): Promise<void> {
    const meeting = await this.#options.store.meetings.get(meetingId)
    if (meeting && !this.#suspended) await this.#liveMeeting(meeting)
  }

  get open(): ReadonlyMap<string, unknown> {
    return this.#open
  }

  /** Another node is the home of this meeting now: cuts everybody off, so that they reconnect there. */
  async suspendOne(meetingId: string): Promise<void> {
    const opening = this.#open.get(meetingId)
    this.#open.delete(meetingId)
    await (await opening)?.suspend()
  }

  async requestEntry(
    meeting: MeetingRecord,
    request: EntryRequest,
  ): Promise<{ live: LiveMeeting; state: 'waiting' | 'admitted' }> {
    for (;;) {
      if (this.#suspended) throw new Refusal('SERVER_STOPPING')
      const opening = this.#liveMeeting(meeting)
      const live = await opening
      // It may have become idle meanwhile and been replaced.
      if (this.#open.get(meeting.meetingId) === opening)
        return { live, state: await live.entrance.requestEntry(request) }
    }
  }

  async knows(meetingId: string, participantId: string, tokenId: string): Promise<boolean> {
    const live = await this.#open.get(meetingId)
    return live?.knows(participantId, tokenId) ?? false
  }

  /** The meeting that goes on here under any of its ids. */
  async find(projectId: string, anyId: string): Promise<MeetingRecord | undefined> {
    for (const opening of await Promise.allSettled(this.#open.values())) {
      if (opening.status === 'rejected') continue
      const { meeting } = opening.value
      const ids = [meeting.meetingId, meeting.id, meeting.customId]
      if (meeting.projectId === projectId && ids.includes(anyId)) return meeting
    }
    return undefined
  }

  async openChat(ticket: string, link: ChatLink): Promise<ChatConnection | undefined> {
    const at = ticket.indexOf('.')
    const live = await this.#open.get(ticket.slice(0, Math.max(at, 0)))
    return live?.openChat(ticket.slice(at + 1), link)
  }

  /** Opens a whiteboard to whoever has its key. */
  async openWhiteboard(key: string, link: BoardLink): Promise<BoardConnection | NotConnected> {
    const at = key.indexOf('.')
    const live = await this.#open.get(key.slice(0, Math.max(at, 0)))
    return live?.outputs.whiteboard.connect(key.slice(at + 1), link) ?? 'closed'
  }

  async requestRelay(meeting: MeetingRecord, request: RelayRequest): Promise<void> {
    const live = await this.#open.get(meeting.meetingId)
    if (!live) throw nobodyConsents()
    live.relays.request(request)
  }

  async endSession(meetingId: string, reason: LeaveReasonName): Promise<boolean> {
    const live = await this.#open.get(meetingId)
    if (!live) return false
    const wasOn = live.sessionId !== undefined
    await live.end(reason)
    return wasOn
  }

  async tellRoom(meetingId: string, event: RoomEvent): Promise<void> {
    const live = await this.#open.get(meetingId)
    if (live) await hearFromParent(live, event)
  }

  async deactivate(meeting: MeetingRecord): Promise<void> {
    await (await this.#open.get(meeting.meetingId))?.deactivate(meeting)
  }

  async sessionOf(meetingId: string, tokenId: string): Promise<string | undefined> {
    const live = await this.#open.get(meetingId)
    return live?.roster.holds(tokenId) ? live.sessionId : undefined
  }

  async shareFile(meetingId: string, holder: Holder, file: Uint8Array): Promise<string> {
    const live = await this.#open.get(meetingId)
    if (!live) throw new Refusal('UNAUTHORIZED_REQUEST')
    return live.shareFile(holder, file)
  }

  async view(meetingId: string): Promise<LiveView> {
    const live = await this.#open.get(meetingId)
    return live?.view() ?? emptyView
  }

  async inspect(meetingId: string): Promise<MeetingInspection> {
    const live = await this.#open.get(meetingId)
    const members = await Promise.all([...(live?.roster.all() ?? [])].map(inspectMember))
    return { meetingId, sessionId: live?.sessionId ?? null, members }
  }

  async respondEntry(meetingId: string, id: string, decision: EntryDecision, always = false): Promise<void> {
    const live = await this.#open.get(meetingId)
    if (!live) throw new Refusal('RESPOND_ENTRY_FAILED')
    await live.entrance.respond('server', id, decision, always)
  }

  async stopStream(meetingId: string, participantId: string, kind: SwitchableKind): Promise<void> {
    await (await this.#live(meetingId)).moderation.stopStream('server', participantId, kind)
  }

  async askForStream(meetingId: string, participantId: string, kind: SwitchableKind): Promise<void> {
    await (await this.#live(meetingId)).moderation.askForStream('server', participantId, kind)
  }

  async publish(meetingId: string, ...message: Parameters<LiveMeeting['publish']>): Promise<string> {
    return (await this.#live(meetingId)).publish(...message)
  }

  async value(meetingId: string, key: string): Promise<string | null> {
    return (await this.#live(meetingId)).shared.values.get(key)
  }

  async setValue(meetingId: string, ...value: Parameters<RealtimeStore['set']>): Promise<void> {
    ;(await this.#live(meetingId)).shared.values.set(...value)
  }

  async removals(meetingId: string): Promise<RemovalView[]> {
    return (await this.#open.get(meetingId))?.evictions.list() ?? []
  }

  async liftRemoval(meetingId: string, participantId: string, by: Grant): Promise<void> {
    await (await this.#live(meetingId)).evictions.liftFor(removerOf(by), participantId)
  }

  async refusalOfRemoved(
    meetingId: string,
    grant: Pick<Grant, 'tokenId' | 'participantId'>,
    participantId?: string,
  ): Promise<Refusal | undefined> {
    const live = await this.#open.get(meetingId)
    const { tokenId } = grant
    const keptOut = [participantId, grant.participantId].some((id) =>
      live?.evictions.keepsOut({ participantId: id, tokenId }),
    )
    return keptOut ? new Refusal('REMOVED_FROM_SESSION') : undefined
  }

  async refusalOfRemovedAnywhere(grant: Grant): Promise<Refusal | undefined> {
    for (const [meetingId, opening] of [...this.#open]) {
      // Two projects may use the same token id.
      const refusal =
        (await opening).projectId === grant.projectId && (await this.refusalOfRemoved(meetingId, grant))
      if (refusal) return refusal
    }
    return undefined
  }

  /**
   * Lets a hidden member watch the ongoing session. `detach` ends it.
   * @throws {Refusal} NOT_FOUND if there is no ongoing session; else what keeps this applicant out
   */
  async attach(
    meetingId: string,
    onlooker: Onlooker,
    by: Pick<EntryRequest, 'grant' | 'participantId'>,
  ): Promise<{ sessionId: string; detach: () => void }> {
    const live = await this.#live(meetingId)
    const refusal = live.entrance.refusalToWatch(by)
    if (refusal) throw refusal
    const detach = live.attach(onlooker)
    return { sessionId: live.sessionId!, detach }
  }

  async startOutput(meetingId: string, order: OutputOrdered): Promise<Acknowledged> {
    return (await this.#live(meetingId)).outputs.start('server', order)
  }

  async stopOutput(
    meetingId: string,
    kind: OutputKind,
    matches?: (output: OutputRecord) => boolean,
  ): Promise<Acknowledged> {
    const live = await this.#open.get(meetingId)
    if (!live) throw new Refusal(outputKinds[kind].stopFailed)
    return live.outputs.stop('server', kind, matches)
  }

  async outputs(meetingId: string): Promise<OutputRecord[]> {
    return (await this.#open.get(meetingId))?.outputs.all() ?? []
  }

  async hasHiddenSeat(meetingId: string, participantId: string): Promise<boolean> {
    return (await this.#open.get(meetingId))?.hasHiddenSeat(participantId) ?? false
  }

  measure(eventLoopLagMs: number): Promise<Flow> {
    return measureEach(this.#open.values(), this.#options.store, eventLoopLagMs)
  }

  async removeParticipant(
    meetingId: string,
    participantId: string,
    reason: LeaveReasonName,
    by: Grant,
    operatorName: string | null,
  ): Promise<void> {
    const live = await this.#open.get(meetingId)
    if (!live) throw new Refusal('REMOVE_PARTICIPANT_FAILED')
    const name = operatorName ?? live.roster.get(by.participantId ?? '')?.name ?? null
    await live.evictions.removeFor({ ...removerOf(by), name }, participantId, reason)
  }

  async evictByCredential(bearers: Bearers, refusal: Refusal): Promise<number> {
    const meetings = await Promise.all([...this.#open.values()])
    return meetings.reduce((count, live) => count + live.evictions.evictByCredential(bearers, refusal), 0)
  }

  /** The server stops: cuts everybody off so that they reconnect, and keeps the sessions open for them. */
  async suspend(): Promise<void> {
    this.#suspended = true
    this.#options.outputs.isStopping = true
    clearInterval(this.#signsOfLife)
    for (const meetingId of [...this.#open.keys()]) await this.giveUp(meetingId)
    await settled(this.#options.outputs.ending)
  }

  /** Cuts everybody off, so that they come back to the next home of this meeting. */
  async giveUp(meetingId: string): Promise<void> {
    const { directory, store } = this.#options
    const opening = this.#open.get(meetingId)
    try {
      const live = await opening
      // The next home must find the shared values and the leaves: they are written first.
      await live?.suspend()
      if (directory.isShared) await store.sessions.get(live?.sessionId ?? '').catch(() => undefined)
    } finally {
      if (this.#open.get(meetingId) === opening) this.#open.delete(meetingId)
      await this.#release(meetingId)
    }
  }

  async #live(meetingId: string): Promise<LiveMeeting> {
    const live = await this.#open.get(meetingId)
    if (!live) throw noSession()
    return live
  }

  #liveMeeting(meeting: MeetingRecord): Promise<LiveMeeting> {
    const { meetingId } = meeting
    const there = this.#open.get(meetingId)
    if (there) return there
    const opening = this.#openMeeting(meeting, () => this.#close(meetingId, opening))
    this.#open.set(meetingId, opening)
    opening.catch(() => this.#close(meetingId, opening))
    return opening
  }

  async #openMeeting(meeting: MeetingRecord, onIdle: () => void): Promise<LiveMeeting> {
    const { directory } = this.#options
    // If another process has become the home, the client reconnects and is directed there.
    if ((await directory.claim(meeting.meetingId)) !== 'here')
      throw new Refusal('SERVER_STOPPING', {
        message: 'The meeting moved to another server; the connection comes back by itself.',
      })
    return LiveMeeting.open({
      ...this.#options,
      meeting,
      lastAliveAt: directory.isShared ? directory.lastAliveAt?.(meeting.meetingId) : this.#lastAliveAt,
      events: this.events,
      onIdle,
    })
  }

  #close(meetingId: string, opening: Promise<LiveMeeting>): void {
    // Another one may have taken its place meanwhile.
    if (this.#open.get(meetingId) !== opening) return
    this.#open.delete(meetingId)
    void this.#release(meetingId)
  }

  async #release(meetingId: string): Promise<void> {
    const { directory, onError } = this.#options
    await directory
      .release(meetingId)
      .catch((error: unknown) => onError(error, 'failed to release a meeting'))
  }
}
