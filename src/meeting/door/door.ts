/**
 * The door: decides whether the holder of a token may request entry to a meeting. `admission.ts` then decides between a seat
 * and the lobby. The rule is a pure function of facts; `Door` collects the facts.
 */
import type { MediaStatus } from '../../media/sfu.ts'
import type { MeetingRecord } from '../../store/store.ts'
import { refusalOfMedia } from '../../media/refusals.ts'
import { Refusal } from '../../protocol/errors.ts'
import { problemOfParticipantId } from '../../protocol/ids.ts'
import { isOfKnock, refusalOfScope, refusalToJoin, type Grant } from '../../token/token.ts'

/** How an applicant arrives. */
export type WayIn = 'socket' | 'elsewhere'

/**
 * Whether a token that is not valid at this time still lets a participant return to a session that it has joined. Only a
 * socket returns to a session: a participant who switches to another meeting was not in that session, and init-config
 * (`assertOpen`) names no participant.
 */
const mayReturn: Record<WayIn, boolean> = { socket: true, elsewhere: false }

/** Returns the refusal if the token is only valid at another time. */
const OUT_OF_TIME: ReadonlySet<string | undefined> = new Set(['expired', 'issued-in-future'])

export interface DoorFacts {
  grant: Grant
  /** The requested meeting, if it belongs to the grant's project. */
  meeting: MeetingRecord | undefined
  /** Absent if it is not known yet, as at init-config. */
  participantId: string | undefined
  /** The refusal if the token is only valid at another time. */
  outOfTime?: Refusal | undefined
  /** The participant was in the ongoing session, with this token. */
  isKnown?: boolean
  /** The participant id is that of a hidden seat, for which the meeting's list of ids does not hold. */
  isHiddenSeat?: boolean
  media: MediaStatus
}

/** The refusals at the door (contract §1.3), in the order that helps a caller most. */
export function refusalAtDoor(facts: DoorFacts): Refusal | undefined {
  const { grant, meeting, participantId, outOfTime, isKnown = false, isHiddenSeat = false, media } = facts
  if (outOfTime && !isKnown) return outOfTime
  const refusal = refusalToJoin(grant)
  if (refusal) return refusal
  if (meeting?.projectId !== grant.projectId) return new Refusal('INVALID_MEETING_ID')
  const outOfScope =
    refusalOfScope(grant, { roomId: idsOf(meeting) }) ??
    refusalOfParticipant(grant, meeting, participantId, isHiddenSeat)
  if (outOfScope) return outOfScope
  // Forbidding it ends the tokens of those who have not been let in.
  if (isOfKnock(grant) && meeting.settings.knock !== true && !isKnown)
    return new Refusal('INVALID_PERMISSIONS', { message: 'Nobody can ask to join at this address any more.' })
  if (meeting.disabledAt !== null) return new Refusal('MEETING_ID_DISABLED')
  if (!media.available && !media.isComing) return refusalOfMedia(media)
  return undefined
}

function refusalOfParticipant(
  grant: Grant,
  meeting: MeetingRecord,
  participantId: string | undefined,
  isHiddenSeat: boolean,
): Refusal | undefined {
  if (participantId === undefined) return undefined
  const problem = problemOfParticipantId(participantId)
  if (problem !== undefined)
    return new Refusal('INVALID_PARTICIPANT_ID', { message: `The participant id ${problem}.` })
  const outOfScope = refusalOfScope(grant, { roomId: idsOf(meeting), participantId })
  if (outOfScope) return outOfScope
  const allowed = meeting.settings.allowedParticipantIds
  return allowed !== undefined && !isHiddenSeat && !allowed.includes(participantId)
    ? new Refusal('UNAUTHORIZED_PARTCIPANT_ID')
    : undefined
}

/** The ids by which a token may name a meeting. */
export function idsOf({ meetingId, customId }: MeetingRecord): string[] {
  return customId === null ? [meetingId] : [meetingId, customId]
}

export interface DoorOptions {
  verify: (token: unknown, options?: { outOfTime?: boolean }) => Grant
  /** Returns why a page of this origin may not use the key of a grant, if it may not. */
  refusalOfOrigin: (grant: Grant, origin: string | undefined, ownOrigin: string) => Refusal | undefined
  findMeeting: (grant: Grant, anyId: string) => Promise<MeetingRecord | undefined>
  /** The meeting as it is held in memory, for when the store is unavailable. */
  findLive: (grant: Grant, anyId: string) => Promise<MeetingRecord | undefined>
  /** Whether this participant was in the ongoing session, with this token. */
  knows: (meetingId: string, participantId: string, tokenId: string) => Promise<boolean>
  /** Whether a page that records has this id in the ongoing session. */
  hasHiddenSeat: (meetingId: string, participantId: string) => Promise<boolean>
  /** Returns why a token does not lead into a meeting that is a breakout room. Absent: there are none. */
  refusalOfBreakout?: (
    meeting: MeetingRecord,
    grant: Grant,
    participantId: string,
  ) => Promise<Refusal | undefined>
  /** Whether a moderator lets this person in always. Absent: nobody. */
  isLetInAlways?: (meeting: MeetingRecord, grant: Grant, participantId: string) => Promise<boolean>
  mediaStatus: () => MediaStatus
  randomId: () => string
}

/** The credentials of an applicant. */
export interface Credentials {
  token: unknown
  /** Any id of the meeting. */
  meetingId: string
  /** The requested participant id. Empty: the id in the token, if there is one. Undefined: that id, or any. */
  participantId: string | undefined
  /** The page's origin; undefined if no browser sends the request. */
  origin: string | undefined
  /** This server's origin, as the client sees it. */
  ownOrigin: string
}

/** An applicant who may request entry: grant, participant id and meeting. */
export interface Accepted {
  grant: Grant
  meeting: MeetingRecord
  participantId: string
  /** A moderator lets this person in always. */
  isStanding: boolean
}

export class Door {
  readonly #options: DoorOptions

  constructor(options: DoorOptions) {
    this.#options = options
  }

  /** @throws {Refusal} if this token does not admit its holder to this meeting */
  async judge(way: WayIn, shown: Credentials): Promise<Accepted> {
    const { refusalOfOrigin, knows, hasHiddenSeat, mediaStatus, randomId } = this.#options
    const { grant, outOfTime } = this.#grantOf(shown.token, mayReturn[way])
    const ofOrigin = refusalOfOrigin(grant, shown.origin, shown.ownOrigin)
    if (ofOrigin) throw ofOrigin
    const meeting = await this.#find(grant, shown)
    // A client whose token names the participant need not repeat the id (docs/decisions/0006).
    const participantId =
      shown.participantId || (grant.participantId ?? (shown.participantId === undefined ? randomId() : ''))
    const isKnown =
      (outOfTime !== undefined || isOfKnock(grant)) &&
      meeting !== undefined &&
      (await knows(meeting.meetingId, participantId, grant.tokenId))
    const isHiddenSeat = meeting !== undefined && (await hasHiddenSeat(meeting.meetingId, participantId))
    const media = mediaStatus()
    const refusal = refusalAtDoor({
      grant,
      meeting,
      participantId,
      outOfTime,
      isKnown,
      isHiddenSeat,
      media,
    })
    if (refusal) throw refusal
    if (!isHiddenSeat) await this.#assertInRoom(grant, meeting!, participantId)
    const isStanding = await this.#isLetInAlways(grant, meeting!, participantId)
    return { grant, meeting: meeting!, participantId, isStanding }
  }

  /** While the store is unavailable, everybody asks. */
  async #isLetInAlways(grant: Grant, meeting: MeetingRecord, participantId: string): Promise<boolean> {
    const asked = this.#options.isLetInAlways?.(meeting, grant, participantId).catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'STORE_UNAVAILABLE') return false
      throw error
    })
    return (await asked) ?? false
  }

  /** A breakout room admits those who are assigned to it now. While the store is unavailable, those who were inside return. */
  async #assertInRoom(grant: Grant, meeting: MeetingRecord, participantId: string): Promise<void> {
    const { refusalOfBreakout, knows } = this.#options
    const asked = refusalOfBreakout?.(meeting, grant, participantId).catch(async (error: unknown) => {
      const isKnown = await knows(meeting.meetingId, participantId, grant.tokenId)
      if (!(error instanceof Refusal && error.code === 'STORE_UNAVAILABLE' && isKnown)) throw error
      return undefined
    })
    const refusal = await asked
    if (refusal) throw refusal
  }

  /** While the store is unavailable, those who were inside are let back in: what that takes is known here. */
  async #find(grant: Grant, shown: Credentials): Promise<MeetingRecord | undefined> {
    const { findMeeting, findLive, knows } = this.#options
    try {
      return await findMeeting(grant, shown.meetingId)
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'STORE_UNAVAILABLE') throw error
      const live = await findLive(grant, shown.meetingId)
      const participantId = shown.participantId || grant.participantId
      if (live && participantId && (await knows(live.meetingId, participantId, grant.tokenId))) return live
      throw error
    }
  }

  /**
   * The same for a token and a page that were already checked, before the participant is known. Answers whether
   * somebody who knocked was let in.
   * @throws {Refusal}
   */
  async assertOpen(grant: Grant, meeting: MeetingRecord): Promise<{ isKnown: boolean }> {
    const { participantId, tokenId } = grant
    const { mediaStatus, knows } = this.#options
    const isKnown =
      isOfKnock(grant) &&
      participantId !== undefined &&
      (await knows(meeting.meetingId, participantId, tokenId))
    const refusal = refusalAtDoor({ grant, meeting, participantId, isKnown, media: mediaStatus() })
    if (refusal) throw refusal
    await this.#assertInRoom(grant, meeting, participantId ?? '')
    return { isKnown }
  }

  #grantOf(token: unknown, returns: boolean): { grant: Grant; outOfTime?: Refusal } {
    const { verify } = this.#options
    try {
      return { grant: verify(token) }
    } catch (thrown) {
      if (!returns || !(thrown instanceof Refusal) || !OUT_OF_TIME.has(thrown.reason)) throw thrown
      return { grant: verify(token, { outOfTime: true }), outOfTime: thrown }
    }
  }
}
