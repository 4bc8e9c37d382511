/**
 * The door of every meeting: whether the holder of a token may ask to come in. What follows, a seat or the lobby, is decided
 * in `admission.ts`. The rule is a function of facts; `Door` collects them.
 */
import type { MediaStatus } from '../../media/sfu.ts'
import type { MeetingRecord } from '../../store/store.ts'
import { refusalOfMedia } from '../../media/refusals.ts'
import { Refusal } from '../../protocol/errors.ts'
import { problemOfParticipantId } from '../../protocol/ids.ts'
import { refusalOfScope, refusalToJoin, type Grant } from '../../token/token.ts'

/** How somebody comes to the door. */
export type WayIn = 'socket' | 'elsewhere'

/**
 * Whether a token that is not valid at this time still brings back a participant who was in the session with it. Only a
 * socket returns to a session: a participant who asks for another meeting has no place there to return to, and init-config
 * (`assertOpen`) names no participant.
 */
const mayReturn: Record<WayIn, boolean> = { socket: true, elsewhere: false }

/** Why a token is refused that is valid at another time. */
const OUT_OF_TIME: ReadonlySet<string | undefined> = new Set(['expired', 'issued-in-future'])

export interface DoorFacts {
  grant: Grant
  /** The meeting that was asked for, if the project of the grant has it. */
  meeting: MeetingRecord | undefined
  /** Absent where it is not known yet, as at init-config. */
  participantId: string | undefined
  /** Why the token is not valid now, if it is valid at another time. */
  outOfTime?: Refusal | undefined
  /** This participant was in the session that goes on, with this token. */
  isKnown?: boolean
  media: MediaStatus
}

/** What can be refused before anything is asked: contract §1.3, in the order in which it helps a caller most. */
export function refusalAtDoor(facts: DoorFacts): Refusal | undefined {
  const { grant, meeting, participantId, outOfTime, isKnown = false, media } = facts
  if (outOfTime && !isKnown) return outOfTime
  const refusal = refusalToJoin(grant)
  if (refusal) return refusal
  if (meeting?.projectId !== grant.projectId) return new Refusal('INVALID_MEETING_ID')
  const outOfScope =
    refusalOfScope(grant, { roomId: idsOf(meeting) }) ?? refusalOfParticipant(grant, meeting, participantId)
  if (outOfScope) return outOfScope
  if (meeting.disabledAt !== null) return new Refusal('MEETING_ID_DISABLED')
  if (!media.available && !media.isComing) return refusalOfMedia(media)
  return undefined
}

function refusalOfParticipant(
  grant: Grant,
  meeting: MeetingRecord,
  participantId: string | undefined,
): Refusal | undefined {
  if (participantId === undefined) return undefined
  const problem = problemOfParticipantId(participantId)
  if (problem !== undefined)
    return new Refusal('INVALID_PARTICIPANT_ID', { message: `The participant id ${problem}.` })
  const outOfScope = refusalOfScope(grant, { roomId: idsOf(meeting), participantId })
  if (outOfScope) return outOfScope
  const allowed = meeting.settings.allowedParticipantIds
  return allowed !== undefined && !allowed.includes(participantId)
    ? new Refusal('UNAUTHORIZED_PARTCIPANT_ID')
    : undefined
}

/** The ids that stand for a meeting in a token. */
export function idsOf({ meetingId, customId }: MeetingRecord): string[] {
  return customId === null ? [meetingId] : [meetingId, customId]
}

export interface DoorOptions {
  verify: (token: unknown, options?: { outOfTime?: boolean }) => Grant
  /** Why a page of this origin may not use the key of a grant, if it may not. */
  refusalOfOrigin: (grant: Grant, origin: string | undefined, ownOrigin: string) => Refusal | undefined
  findMeeting: (grant: Grant, anyId: string) => Promise<MeetingRecord | undefined>
  /** Whether this participant was in the session that goes on, with this token. */
  knows: (meetingId: string, participantId: string, tokenId: string) => Promise<boolean>
  mediaStatus: () => MediaStatus
  randomId: () => string
}

/** What somebody shows at the door. */
export interface Credentials {
  token: unknown
  /** Any id of the meeting. */
  meetingId: string
  /** Empty: the one that the token names, if it names one. Undefined: that one, or any. */
  participantId: string | undefined
  /** Of the page that asks; undefined where no browser does. */
  origin: string | undefined
  /** Of this server, as the client sees it. */
  ownOrigin: string
}

/** Who may ask to come in, as whom, and where. */
export interface Accepted {
  grant: Grant
  meeting: MeetingRecord
  participantId: string
}

export class Door {
  readonly #options: DoorOptions

  constructor(options: DoorOptions) {
    this.#options = options
  }

  /** @throws {Refusal} with the reason why this token does not open this meeting */
  async judge(way: WayIn, shown: Credentials): Promise<Accepted> {
    const { refusalOfOrigin, findMeeting, knows, mediaStatus, randomId } = this.#options
    const { grant, outOfTime } = this.#grantOf(shown.token, mayReturn[way])
    const ofOrigin = refusalOfOrigin(grant, shown.origin, shown.ownOrigin)
    if (ofOrigin) throw ofOrigin
    const meeting = await findMeeting(grant, shown.meetingId)
    // A client whose token names the participant need not repeat the id (docs/decisions/0006).
    const participantId =
      shown.participantId || (grant.participantId ?? (shown.participantId === undefined ? randomId() : ''))
    const isKnown =
      outOfTime !== undefined &&
      meeting !== undefined &&
      (await knows(meeting.meetingId, participantId, grant.tokenId))
    const refusal = refusalAtDoor({ grant, meeting, participantId, outOfTime, isKnown, media: mediaStatus() })
    if (refusal) throw refusal
    return { grant, meeting: meeting!, participantId }
  }

  /**
   * The same for a token that was verified, from a page that was judged, before the participant is known.
   * @throws {Refusal}
   */
  assertOpen(grant: Grant, meeting: MeetingRecord): void {
    const { participantId } = grant
    const refusal = refusalAtDoor({ grant, meeting, participantId, media: this.#options.mediaStatus() })
    if (refusal) throw refusal
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
