/**
 * Removes participants, lifts removals, and evicts holders of revoked credentials. `removals.ts` knows who is kept out;
 * this file stores removals and puts them into effect.
 */
import type { MeetingRecord, Store } from '../../store/store.ts'
import type { Grant } from '../../token/token.ts'
import type { RelayRequests } from '../across/relay.ts'
import type { Breakouts } from '../breakouts/breakouts.ts'
import type { Assigned } from '../breakouts/plan.ts'
import type { Participant } from '../roster/participant.ts'
import type { Audience } from '../link.ts'
import type { Roster } from '../roster/roster.ts'
import type { SessionLifecycle } from '../session/lifecycle.ts'
import type { Session } from '../session/session.ts'
import type { Entrance } from './entrance.ts'
import { Refusal } from '../../protocol/errors.ts'
import { minterOf, wasGivenFor } from '../../token/token.ts'
import { leaveReason, type LeaveReason, type LeaveReasonName } from '../../protocol/leave-reasons.ts'
import { keepsOutRelay } from '../across/relays.ts'
import { rulesOf, withCoHost } from '../session/decisions.ts'
import { assertMay, removerInside, SERVER } from '../roster/actor.ts'
import {
  mayLift,
  sharesToken,
  type Candidate,
  type Removal,
  type RemovalView,
  type Remover,
} from './removals.ts'

/** The holders of tokens of this key, of this token, or of the tokens that this operator minted. */
export interface Bearers {
  projectId: string
  apiKey?: string
  tokenId?: string
}

export interface EvictionsOptions {
  meeting: Pick<MeetingRecord, 'projectId' | 'meetingId'>
  store: Store
  roster: Roster
  sessions: SessionLifecycle
  entrance: Entrance
  relayRequests: RelayRequests
  everyone: Audience
  breakouts: Pick<Breakouts, 'assigned' | 'remove' | 'takeBack'>
  now: () => number
}

/** What a removal needs to know of somebody. */
type Removable = Pick<Participant, 'id' | 'tokenId' | 'name' | 'holder'> & { grant: Pick<Grant, 'entry'> }

export class Evictions {
  readonly #options: EvictionsOptions

  constructor(options: EvictionsOptions) {
    this.#options = options
  }

  /** The removals of the ongoing session. */
  list(): RemovalView[] {
    return this.#options.sessions.current?.removals.list() ?? []
  }

  /** Whether a removal keeps this person out. */
  keepsOut(candidate: Candidate): boolean {
    return this.#options.sessions.current?.keepsOut(candidate) ?? false
  }

  /** A participant removes another, who then cannot return to this session (docs/decisions/0004). */
  async remove(by: Participant, targetId: string): Promise<void> {
    const ask = (): void => this.#assertMayRemove(by, targetId)
    ask()
    await this.removeFor(removerInside(by), targetId, 'REMOVE_PEER', ask)
  }

  /** The participant must leave but may join again; a guest has to ask again, and is no co-host any more. */
  async removeForNow(by: Participant, targetId: string): Promise<void> {
    const { meeting, roster, sessions, store, breakouts } = this.#options
    const ask = (): void => this.#assertMayRemove(by, targetId)
    ask()
    const session = sessions.required
    await session.inTurn(async () => {
      ask()
      const target = this.#find(targetId)
      if (!target) throw new Refusal('REMOVE_PARTICIPANT_FAILED')
      await this.#dismiss(session, target)
      await breakouts.takeBack(session, target.holder)
      await store.sessions.takeBackAdmission(session.sessionId, targetId, target.tokenId)
      await store.standing.lift(meeting.meetingId, targetId)
      session.admitted.forget(targetId)
      session.known.forget(targetId)
      breakouts.remove(session, target.holder)
      const present = roster.get(targetId)
      if (!present || present !== target) return
      const refusal = present.link.isOwnClient ? new Refusal('REMOVED_FOR_NOW') : undefined
      roster.evict(present, leaveReason('REMOVE_PEER'), refusal)
    })
  }

  /** A co-host removes nobody whose token moderates. */
  #assertMayRemove(by: Participant, targetId: string): void {
    assertMay(by, 'remove')
    if (by.isCoHost && this.#find(targetId)?.grant.entry === 'moderator')
      throw new Refusal('INVALID_PERMISSIONS')
  }

  /** Who is here, or in a breakout room of this meeting. */
  #find(targetId: string): Removable | undefined {
    return this.#options.roster.get(targetId) ?? removableOf(this.#options.breakouts.assigned(targetId))
  }

  /** Somebody who is removed is no co-host any more. */
  async #dismiss(session: Session, { id: participantId, tokenId }: Removable): Promise<void> {
    if (!session.isCoHost(participantId, tokenId)) return
    await session.decide(withCoHost(session.decisions, { participantId, tokenId }, false))
    this.#options.everyone.notify(rulesOf(session.decisions))
  }

  /** The same, also for callers outside the meeting. `ask` throws if the remover may not do this, or no longer. */
  async removeFor(
    by: Remover,
    targetId: string,
    reasonName: LeaveReasonName,
    ask: () => void = () => undefined,
  ): Promise<void> {
    const { sessions } = this.#options
    const target = this.#find(targetId)
    const session = sessions.current
    if (!target || !session) throw new Refusal('REMOVE_PARTICIPANT_FAILED')
    await session.inTurn(async () => {
      ask()
      await this.#remove(session, by, target, leaveReason(reasonName))
    })
  }

  /** A participant lets a removed one return. */
  async lift(by: Participant, participantId: string): Promise<void> {
    const ask = (): void => assertMay(by, 'liftRemoval')
    ask()
    await this.liftFor(removerInside(by), participantId, ask)
  }

  /**
   * The same, also for callers outside the meeting. `ask` throws if the caller may not do this, or no longer. The token stays out
   * while another removal keeps it out.
   */
  async liftFor(by: Remover, participantId: string, ask: () => void = () => undefined): Promise<void> {
    const session = this.#options.sessions.required
    await session.inTurn(async () => {
      ask()
      if (session.keepsOut(by)) throw new Refusal('REMOVED_FROM_SESSION')
      const removals = session.removals.of(participantId)
      if (removals.length === 0)
        throw new Refusal('NOT_FOUND', { message: 'No participant with this id was removed.' })
      if (!mayLift(removals, by)) throw new Refusal('INVALID_PERMISSIONS')
      await this.#options.store.sessions.liftRemoval(session.sessionId, participantId)
      session.removals.lift(participantId)
    })
  }

  /** Evicts participants and waiting applicants whose credentials were revoked. Returns how many. */
  evictByCredential({ projectId, apiKey, tokenId }: Bearers, refusal: Refusal): number {
    const { meeting, roster, entrance, relayRequests } = this.#options
    if (meeting.projectId !== projectId) return 0
    const reason = leaveReason('REMOVE_PEER_API')
    const came = (by: Pick<Grant, 'apiKey' | 'tokenId'>): boolean =>
      (apiKey === undefined || by.apiKey === apiKey) &&
      (tokenId === undefined ||
        by.tokenId === tokenId ||
        minterOf(by) === tokenId ||
        wasGivenFor(by, tokenId))
    const waiting = entrance.turnAway(({ grant }) => came(grant), reason, refusal)
    relayRequests.dropWhere(({ grant }) => came(grant))
    const present = [...roster.all()].filter(({ grant }) => came(grant))
    for (const participant of present) roster.evict(participant, reason, refusal)
    // A relay guest is not another person.
    return waiting + present.filter(({ relayed }) => !relayed).length
  }

  async #remove(session: Session, by: Remover, target: Removable, reason: LeaveReason): Promise<void> {
    const { meeting, store, roster, sessions, breakouts } = this.#options
    const { removals, sessionId } = session
    const { id } = target
    // If two remove each other at once, the first one wins.
    if (session.keepsOut(by)) throw new Refusal('REMOVED_FROM_SESSION')
    // Somebody else removed the participant meanwhile.
    if (removals.has(id, target.tokenId)) return
    // First: when it fails, nothing else has changed.
    await store.standing.lift(meeting.meetingId, id)
    let holder: Removable | undefined = target
    // Another token may take the seat while the removal is written; it is still the same participant.
    while (holder && !removals.has(id, holder.tokenId)) {
      const removal = this.#removalOf(holder, by)
      // Write it before it takes effect: a crash must not undo a removal that was acknowledged.
      await store.sessions.remove({ sessionId, ...removal })
      if (removal.tokenShared && !sharesToken(holder, roster.all())) {
        // The last other holder of the token left meanwhile.
        removal.tokenShared = false
        await store.sessions.remove({ sessionId, ...removal })
      }
      removals.add(removal)
      holder = roster.get(id)
    }
    session.admitted.forget(id)
    await this.#dismiss(session, target)
    if (sessions.current !== session) return
    this.#sweep(session, id, reason)
    breakouts.remove(session, target.holder)
  }

  #removalOf(target: Removable, by: Remover): Removal {
    const { id, tokenId, name } = target
    return {
      participantId: id,
      tokenId,
      name,
      at: this.#options.now(),
      by: by.participantId ?? SERVER,
      byName: by.name ?? null,
      byModerator: by.isModerator,
      tokenShared: sharesToken(target, this.#options.roster.all()),
    }
  }

  /** Evicts everybody whom a removal keeps out, in any state. */
  #sweep(session: Session, removedId: string, reason: LeaveReason): void {
    const { roster, entrance, relayRequests } = this.#options
    const refusal = new Refusal('REMOVED_FROM_SESSION')
    relayRequests.dropWhere((request) => keepsOutRelay(session, request))
    const isKeptOut = ({ participantId, grant }: { participantId: string; grant: Grant }): boolean =>
      session.keepsOut({ participantId, tokenId: grant.tokenId })
    entrance.turnAway(isKeptOut, reason, refusal)
    for (const participant of [...roster.all()]) {
      const { id: participantId, grant } = participant
      if (!isKeptOut({ participantId, grant })) continue
      roster.evict(participant, reason, participantId === removedId ? undefined : refusal)
    }
  }
}

function removableOf(assigned: Assigned | undefined): Removable | undefined {
  if (!assigned) return undefined
  const { participantId, tokenId, name, entry } = assigned
  return { id: participantId, tokenId, name, holder: { participantId, tokenId }, grant: { entry } }
}
