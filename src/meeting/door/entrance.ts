/**
 * Leads from an entry request to a seat. The rules are in `admission.ts`. A decision is only valid in the instant in
 * which it is acted on, so it is made again after every wait.
 */
import type { EntryDecision, Notification } from '../../protocol/notifications.ts'
import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { MeetingRecord, Store } from '../../store/store.ts'
import { isOfKnock, type Grant } from '../../token/token.ts'
import type { Audience, Link } from '../link.ts'
import type { Roster } from '../roster/roster.ts'
import type { Session } from '../session/session.ts'
import type { SessionLifecycle } from '../session/lifecycle.ts'
import type { MeetingSettings } from '../settings.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReason, leaveReasons } from '../../protocol/leave-reasons.ts'
import { refusalOfBreakout } from '../breakouts/entry.ts'
import { isHiddenId } from '../outputs/hidden-seats.ts'
import { assertMay, idOf, type Actor } from '../roster/actor.ts'
import { Participant } from '../roster/participant.ts'
import { authorityOf, type Authority } from '../roster/permissions.ts'
import { decideAdmission, decideSeat, refusalToEnter, type Seating, type SessionFacts } from './admission.ts'
import { Lobby, type EntryRequest } from './lobby.ts'
import { MAX_STANDING } from './standing.ts'

export interface EntranceOptions {
  settings: MeetingSettings
  store: Store
  now: () => number
  roster: Roster
  sessions: SessionLifecycle
  /** The participants who answer entry requests. */
  admitters: Audience
  /** Returns why nobody, or nobody with this grant, is admitted any more. */
  refusalOf: (grant: Grant) => Refusal | undefined
  /** Whether this is the id of a hidden seat, which only its page knows. */
  isHiddenSeat: (participantId: string) => boolean
  /** If it is a breakout room, whoever passed its door is assigned to it. */
  meeting: MeetingRecord
  onError: (error: unknown, message: string) => void
  /** Called when the lobby is empty. */
  onIdle: () => void
}

/** A connection that does not answer within this time is dead, and its participant id is free (docs/decisions/0010). */
const LINE_TIMEOUT_MS = 3000

export class Entrance {
  readonly #options: EntranceOptions
  readonly #lobby: Lobby
  /** Entry requests without a decision. */
  #deciding = 0

  constructor(options: EntranceOptions) {
    this.#options = options
    this.#lobby = new Lobby({
      timeoutMs: options.settings.lobbyTimeoutMs,
      onQueued: ({ link }, before) => link.notify({ method: 'entryQueued', before }),
      onTimeout: (request) => {
        this.#deny(request)
        options.onIdle()
      },
    })
  }

  get waiting(): number {
    return this.#lobby.size
  }

  get isIdle(): boolean {
    return this.#lobby.size === 0 && this.#deciding === 0
  }

  /** The waiting requests, with their times. */
  entries(): { participantId: string; name: string; askedAt: number }[] {
    return this.#lobby.entries().map(({ request: { participantId, name }, askedAt }) => ({
      participantId,
      name,
      askedAt,
    }))
  }

  /** The waiting requests, as notifications for an admitter who joins. */
  notifications(): Notification[] {
    return this.#lobby.requests().map(asNotification)
  }

  /**
   * Requests a seat. Returns `waiting` or `admitted`; if waiting, calls the request's `admitted` when somebody
   * admits it. Refusals are thrown and change nothing.
   */
  async requestEntry(request: EntryRequest): Promise<'waiting' | 'admitted'> {
    const { settings, sessions, isHiddenSeat, onIdle } = this.#options
    this.#deciding++
    try {
      if (isHiddenSeat(request.participantId)) return this.#seatHidden(request)
      // A page of the former home, which must not become visible here.
      if (isHiddenId(request.participantId)) throw new Refusal('UNAUTHORIZED_PARTCIPANT_ID')
      for (;;) {
        const facts = this.#factsFor(request)
        const admission = decideAdmission(request.grant, facts, settings, settings.moderation)
        switch (admission.decision) {
          case 'admit':
            if (!sessions.current) {
              await sessions.ensure()
              continue
            }
            this.#seat(sessions.current, request, admission.authority)
            await this.#askParentAgain(request)
            return 'admitted'
          case 'wait':
            this.#wait(request)
            return 'waiting'
          case 'contest':
            await this.#giveWay(request.participantId, admission.with)
            continue
          case 'refuse':
            throw admission.refusal
        }
      }
    } finally {
      this.#deciding--
      onIdle()
    }
  }

  /** Whoever was removed from the parent meeting on the way from the door of this room to a seat had none to be evicted from. */
  async #askParentAgain({ grant, participantId, link }: EntryRequest): Promise<void> {
    const { meeting, store, roster, onError } = this.#options
    if (!meeting.settings.breakoutOf) return
    try {
      const refusal = await refusalOfBreakout(
        { store, isRevoked: () => false },
        meeting,
        grant,
        participantId,
      )
      const participant = roster.get(participantId)
      if (refusal && participant?.link === link)
        roster.evict(participant, leaveReason('REMOVE_PEER'), refusal)
    } catch (error) {
      // Those who were inside return while the store is unavailable.
      onError(error, 'failed to ask again whether a participant belongs to a breakout room')
    }
  }

  /** Decides on a seat. The decision is valid only until the next await. */
  decideSeat(request: Pick<EntryRequest, 'grant' | 'participantId'>): Seating {
    const { settings } = this.#options
    return decideSeat(request.grant, this.#factsFor(request), settings, settings.moderation)
  }

  /** Returns why the holder of a grant may not watch without a seat. Valid only until the next await. */
  refusalToWatch(by: Pick<EntryRequest, 'grant' | 'participantId'>): Refusal | undefined {
    return refusalToEnter(by.grant, this.#factsFor(by))
  }

  /** The authority that a grant alone gives to somebody inside. */
  authorityOf({ entry }: Grant): Authority {
    return authorityOf(entry ?? 'ask', this.#options.settings.moderation)
  }

  /** The waiting connection has closed. */
  withdraw(participantId: string, link: Link): void {
    const { admitters, onIdle } = this.#options
    if (!this.#lobby.take(participantId, link)) return
    admitters.notify({ method: 'entryWithdrawn', id: participantId })
    onIdle()
  }

  /** An admitter answers; the first answer wins, a later one is refused with RESPOND_ENTRY_FAILED. */
  async respond(by: Actor, participantId: string, decision: EntryDecision, always = false): Promise<void> {
    assertMay(by, 'respondEntry')
    if (always) assertMay(by, 'admitAlways')
    const request = this.#lobby.get(participantId)
    if (!request) throw new Refusal('RESPOND_ENTRY_FAILED')
    if (decision === 'allowed') await this.#allow(by, request, always)
    else if (this.#lobby.take(participantId)) this.#deny(request)
  }

  /** Refuses all waiting requests that match; returns how many. */
  turnAway(isMeant: (request: EntryRequest) => boolean, reason: LeaveReason, refusal: Refusal): number {
    const requests = this.#lobby.requests().filter(isMeant)
    for (const { participantId, link } of requests) {
      this.withdraw(participantId, link)
      link.close(reason, refusal)
    }
    return requests.length
  }

  /** Ends the session for waiting applicants too. */
  closeAll(reason: LeaveReason): void {
    for (const { link } of this.#takeAll()) link.close(reason)
  }

  /** The server stops: waiting clients reconnect by themselves. */
  dropAll(why: Refusal): void {
    for (const { link } of this.#takeAll()) link.drop(why)
  }

  #takeAll(): EntryRequest[] {
    const requests = this.#lobby.requests()
    for (const { participantId } of requests) this.#lobby.take(participantId)
    return requests
  }

  /** Admits the connection that made this request, and no other with its participant id. */
  async #allow(by: Actor, request: EntryRequest, always: boolean): Promise<void> {
    const { participantId, grant, link, name } = request
    const { tokenId } = grant
    const { store, now, sessions, admitters, onError, meeting } = this.#options
    const { meetingId } = meeting
    let isStanding = false
    let written: Session | undefined
    try {
      for (;;) {
        assertMay(by, 'respondEntry')
        if (always) assertMay(by, 'admitAlways')
        // Somebody else answered it, or it was withdrawn or timed out meanwhile.
        if (this.#lobby.get(participantId) !== request) throw new Refusal('RESPOND_ENTRY_FAILED')
        const seating = this.decideSeat(request)
        if (seating.decision === 'refuse') throw seating.refusal
        if (seating.decision === 'contest') {
          await this.#giveWay(participantId, seating.with)
          continue
        }
        if (written && written === sessions.current) {
          this.#lobby.take(participantId)
          written.admitted.add(participantId, tokenId)
          this.#seat(written, request, seating.authority)
          break
        }
        // Write it before telling anybody, so that an admitted guest stays admitted after a crash.
        written = await sessions.ensure()
        await store.sessions.admit({ sessionId: written.sessionId, participantId, tokenId, at: now() })
        if (!always || isStanding) continue
        const bound = grant.participantId === participantId
        const standing = { meetingId, participantId, tokenId, bound, name, at: now(), by: idOf(by) }
        isStanding = await store.standing.admit(standing, MAX_STANDING)
        if (!isStanding)
          throw new Refusal('INVALID_STATE', {
            message: `This meeting already lets ${MAX_STANDING} people in always; have one of them ask again first.`,
          })
      }
    } catch (error) {
      if (written && !written.admitted.has(participantId, tokenId)) {
        Promise.all([
          store.sessions.takeBackAdmission(written.sessionId, participantId, tokenId),
          isStanding && store.standing.lift(meetingId, participantId),
        ]).catch((failure: unknown) => onError(failure, 'failed to take back an admission'))
      }
      throw error
    }
    admitters.notify({ method: 'entryResponded', id: participantId, decision: 'allowed' }, link)
  }

  #deny({ participantId, link }: EntryRequest): void {
    const answer: Notification = { method: 'entryResponded', id: participantId, decision: 'denied' }
    link.notify(answer)
    link.close({ code: leaveReasons.UNKNOWN, message: 'ENTRY_DENIED' }, new Refusal('ENTRY_DENIED'))
    this.#options.admitters.notify(answer)
  }

  /** Resolves when nobody has this participant id any more. @throws {Refusal} DUPLICATE_PARTICIPANT while its connection is alive */
  async #giveWay(participantId: string, where: 'inside' | 'waiting'): Promise<void> {
    const { roster } = this.#options
    const participant = where === 'inside' ? roster.get(participantId) : undefined
    const request = where === 'waiting' ? this.#lobby.get(participantId) : undefined
    const link = (participant ?? request)?.link
    if (!link) return
    if (await link.answers(LINE_TIMEOUT_MS)) {
      throw new Refusal('DUPLICATE_PARTICIPANT', {
        message: 'Another person is in the meeting with this participant id.',
      })
    }
    if (participant) roster.leave(participant, leaveReason('WEBSOCKET_DISCONNECTED'))
    else this.withdraw(participantId, link)
    link.drop()
  }

  #wait(request: EntryRequest): void {
    const { now, admitters } = this.#options
    const replaced = this.#lobby.add(request, now())
    replaced?.link.close(leaveReason('DUPLICATE_PARTICIPANT'), new Refusal('DUPLICATE_PARTICIPANT'))
    admitters.notify(asNotification(request))
  }

  /** A page that records: it comes in whatever its token permits, and may do nothing but receive. */
  #seatHidden(request: EntryRequest): 'admitted' {
    const { sessions, refusalOf } = this.#options
    const closed = refusalOf(request.grant)
    if (closed) throw closed
    const nothing = { canAdmit: false, canModerate: false }
    this.#seat(sessions.required, { ...request, kind: 'egress' }, nothing)
    return 'admitted'
  }

  #seat(session: Session, request: EntryRequest, authority: Authority): void {
    const { participantId, grant, name, link, kind } = request
    if (kind !== 'egress') session.lastKnownAt = undefined
    const isCoHost = session.isCoHost(participantId, grant.tokenId)
    const participant = new Participant({ participantId, grant, name, authority, isCoHost, link, kind })
    this.#options.roster.seat(participant)
    request.admitted(participant)
    link.notify({
      method: 'entryResponded',
      id: participantId,
      decision: 'allowed',
      sessionId: session.sessionId,
      ...authority,
    })
  }

  #factsFor(by: Pick<EntryRequest, 'grant' | 'participantId' | 'isStanding'>): SessionFacts {
    const { grant, participantId, isStanding = false } = by
    const { roster, sessions, refusalOf } = this.#options
    const { tokenId } = grant
    const session = sessions.current
    return {
      closed: refusalOf(grant),
      keptOut: session?.keepsOut({ participantId, tokenId }) ?? false,
      assigned: this.#options.meeting.settings.breakoutOf !== undefined,
      admittedBefore: isStanding || (session?.admitted.has(participantId, tokenId) ?? false),
      locked: session?.decisions.rules.locked ?? false,
      returning: session?.knows(participantId, tokenId) ?? false,
      coHost: session?.isCoHost(participantId, tokenId) ?? false,
      inside: roster.get(participantId)?.grant,
      waiting: this.#lobby.get(participantId)?.grant,
      seats: roster.size,
      enteringWithToken: roster.seats.countOf(tokenId),
      entryRequests: this.#lobby.size,
      entryRequestsWithToken: this.#lobby.countOf(tokenId),
      entryRequestsOfKnocks: this.#lobby.requests().filter((one) => isOfKnock(one.grant)).length,
    }
  }
}

function asNotification({ participantId: id, name, message }: EntryRequest): Notification {
  return { method: 'entryRequested', id, name, ...(message !== undefined && { message }) }
}
