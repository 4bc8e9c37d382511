/** Relays from other meetings into this one: requested, consented to by an admitter, then a guest on the roster. */
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
  /** The maximum number of requests that wait for consent. */
  maxRequests: number
  /** Returns why nobody, or nobody with this grant, is admitted any more. */
  refusalOf: (grant: Grant) => Refusal | undefined
}

export class Relays {
  readonly #options: RelaysOptions

  constructor(options: RelaysOptions) {
    this.#options = options
  }

  /** A participant of another meeting requests that its streams are relayed here. */
  request(request: RelayRequest): void {
    const { source, sourceMeetingId, grant } = request
    const { requests, roster, sessions, admitters, maxRequests, refusalOf } = this.#options
    // The participant left while its token was checked, so nothing would withdraw the request.
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
    // A relay does not displace anybody.
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

/** Drops requests whose source, or whose token, was removed. */
export function keepsOutRelay(session: Session, { source, grant }: RelayRequest): boolean {
  return (
    session.keepsOut({ participantId: source.id, tokenId: grant.tokenId }) ||
    session.keepsOut({ tokenId: source.tokenId })
  )
}

/** The refusal if there is no ongoing session there, or nobody in it may admit others. */
export function nobodyConsents(): Refusal {
  return new Refusal('MEDIA_RELAY_FAILED', {
    message: 'That meeting has no participant who can accept the relay.',
  })
}
