/**
 * A connection's switch to another meeting: it requests entry there, and stays in its meeting until it joins the other one
 * (contract, signalling §4.5). Both meetings must be live in this process.
 */
import type { Accepted } from '../../meeting/door/door.ts'
import type { LocalHome } from '../../meeting/home.ts'
import type { LiveMeeting } from '../../meeting/live-meeting.ts'
import type { Participant } from '../../meeting/roster/participant.ts'
import { SwitchingLink } from '../../meeting/across/switching.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import type { ClientLink } from './client-link.ts'

/** A seat in the other meeting. */
export interface Seat {
  live: LiveMeeting
  participant: Participant
}

interface Switching {
  link: SwitchingLink
  live?: LiveMeeting
  /** Set when the other meeting has admitted it. */
  participant?: Participant
}

export class MeetingSwitch {
  readonly #meetings: LocalHome
  readonly #participantId: string
  readonly #link: ClientLink
  #switching: Switching | undefined

  constructor(meetings: LocalHome, { participantId, link }: { participantId: string; link: ClientLink }) {
    this.#meetings = meetings
    this.#participantId = participantId
    this.#link = link
  }

  /**
   * Requests entry to another meeting. A request that is still open is withdrawn.
   * @param isGone whether the connection has closed in the meantime
   * @throws {Refusal}
   */
  async request(
    { grant, meeting, isStanding }: Accepted,
    name: string,
    isGone: () => boolean,
  ): Promise<void> {
    this.cancel()
    const switching: Switching = {
      link: new SwitchingLink(this.#link, {
        participantId: this.#participantId,
        meetingId: meeting.meetingId,
        onRefused: () => this.#forget(switching),
      }),
    }
    this.#switching = switching
    try {
      const { live } = await this.#meetings.requestEntry(meeting, {
        grant,
        participantId: this.#participantId,
        name,
        isStanding,
        link: switching.link,
        admitted: (participant) => {
          switching.participant = participant
        },
      })
      switching.live = live
    } catch (thrown) {
      this.#forget(switching)
      throw thrown
    }
    // The connection closed or requested another meeting while this request was handled.
    if (isGone() || this.#switching !== switching) this.#withdraw(switching)
  }

  /** @throws {Refusal} INVALID_STATE if no other meeting has admitted it */
  get seat(): Seat {
    const { live, participant } = this.#admitted()
    return { live, participant }
  }

  /** Leaves `from` for the other meeting, and moves the media along. */
  complete(from: Seat): Seat {
    const { live, participant, link } = this.#admitted()
    this.#switching = undefined
    from.live.roster.release(from.participant)
    live.media.adopt(participant, from.participant)
    link.arrive()
    return { live, participant }
  }

  /** Gives up the request or the seat in the other meeting, if there is one. */
  cancel(): void {
    const switching = this.#switching
    this.#switching = undefined
    if (switching) this.#withdraw(switching)
  }

  #admitted(): Required<Switching> {
    const { live, participant, link } = this.#switching ?? {}
    if (!live || !participant || !link) {
      throw new Refusal('INVALID_STATE', { message: 'join cannot be sent now.' })
    }
    return { live, participant, link }
  }

  #forget(switching: Switching): void {
    if (this.#switching === switching) this.#switching = undefined
  }

  #withdraw({ live, link, participant }: Switching): void {
    if (participant) live?.roster.leave(participant, leaveReason('WEBSOCKET_DISCONNECTED'))
    else live?.entrance.withdraw(this.#participantId, link)
  }
}
