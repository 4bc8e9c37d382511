/** Streams of other meetings that are to be seen here: asked for, consented to by an admitter, and then a guest on the roster. */
import type { RequestData } from '../../protocol/requests.ts'
import type { Grant } from '../../token/token.ts'
import type { Entrance } from '../door/entrance.ts'
import type { Audience } from '../link.ts'
import type { Participant } from '../roster/participant.ts'
import type { Roster } from '../roster/roster.ts'
import type { SessionLifecycle } from '../session/lifecycle.ts'
import type { Session } from '../session/session.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import { assertMay } from '../roster/actor.ts'
import { Relay, type RelayDestination, type RelayRequest, type RelayRequests } from './relay.ts'

export interface RelaysOptions {
  destination: RelayDestination
  requests: RelayRequests
  roster: Roster
  sessions: SessionLifecycle
  entrance: Entrance
  admitters: Audience
  /** Requests that wait for consent at once. */
  maxRequests: number
  /** Why nobody, or nobody with this grant, is let in any more. */
  refusalOf: (grant: Grant) => Refusal | undefined
}

export class Relays {
  readonly #options: RelaysOptions

  constructor(options: RelaysOptions) {
    this.#options = options
  }

  /** A participant of another meeting asks that its streams be seen here too. */
  request(request: RelayRequest): void {
    const { source, sourceMeetingId, grant } = request
    const { requests, roster, sessions, admitters, maxRequests, refusalOf } = this.#options
    // It left while its token was looked at: nobody would take the request back.
    if (!source.joined) throw new Refusal('INVALID_STATE')
    const closed = refusalOf(grant)
    if (closed) throw closed
    const session = sessions.current
    if (session && keepsOutRelay(session, request)) throw new Refusal('REMOVED_FROM_SESSION')
    if (!session || !roster.joined().some(({ authority }) => authority.canAdmit)) throw nobodyConsents()
    if (roster.has(source.id)) {
      throw new Refusal('MEDIA_RELAY_FAILED', {
        message: 'That meeting already has a participant with this id.',
      })
    }
    requests.add(request, maxRequests)
    admitters.notify({
      method: 'mediaRelayRequestReceived',
      peerId: source.id,
      meetingId: sourceMeetingId,
      displayName: source.name,
    })
  }

  /** The first answer counts. */
  async respond(by: Participant, data: RequestData<'respondToMediaRelayRequest'>): Promise<void> {
    assertMay(by, 'respondEntry')
    const { requests, roster, entrance, destination } = this.#options
    const request = requests.get(data.meetingId, data.peerId)
    if (!request) throw new Refusal('NOT_FOUND', { message: 'The request no longer exists.' })
    const { source, grant } = request
    const answer = (decision: 'allowed' | 'denied'): void => {
      source.link.notify({
        method: 'mediaRelayRequestResponse',
        decision,
        decidedBy: by.id,
        meetingId: destination.meetingId,
      })
    }
    if (data.decision !== 'allowed') {
      requests.drop(request)
      answer('denied')
      return
    }
    const seating = entrance.decideSeat({ grant, participantId: source.id })
    if (seating.decision === 'refuse') throw seating.refusal
    // A relay displaces nobody.
    if (roster.has(source.id)) throw new Refusal('MEDIA_RELAY_FAILED')
    requests.drop(request)
    const relay = new Relay(request, destination)
    const { guest } = relay
    roster.place(guest)
    try {
      await roster.join(guest, { metaData: source.metaData }, () => {
        assertMay(by, 'respondEntry')
        if (!source.joined) throw new Refusal('INVALID_STATE')
      })
    } catch (error) {
      roster.leave(guest, leaveReason('UNKNOWN'))
      answer('denied')
      throw error
    }
    answer('allowed')
    relay.start()
    source.link.notify({ method: 'mediaRelayStarted', meetingId: destination.meetingId })
  }
}

/** A request is gone when its source, or the token that it was made with, was removed. */
export function keepsOutRelay(session: Session, { source, grant }: RelayRequest): boolean {
  return (
    session.keepsOut({ participantId: source.id, tokenId: grant.tokenId }) ||
    session.keepsOut({ tokenId: source.tokenId })
  )
}

/** No session goes on there, or nobody in it may let others in. */
export function nobodyConsents(): Refusal {
  return new Refusal('MEDIA_RELAY_FAILED', {
    message: 'That meeting has no participant who can accept the relay.',
  })
}
