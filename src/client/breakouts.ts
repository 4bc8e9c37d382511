/** The breakout rooms of the meeting. Moderators open, assign and close them; everybody may go to their own. */
import type {
  BreakoutPass,
  BreakoutSwitch,
  Breakouts as BreakoutsOnWire,
  NewBreakouts,
} from '../protocol/breakouts.ts'

export type { BreakoutPass, BreakoutSwitch, NewBreakouts }

export interface BreakoutRooms extends Omit<BreakoutsOnWire, 'leftMs'> {
  /** When everybody is called back, or has to be back, in ms of `performance.now()` of this page; null: no end is set. */
  endsAt: number | null
}

type Request = (method: string, data?: object) => Promise<unknown>

export class Breakouts {
  readonly #request: Request
  readonly #onChange: () => void
  #rooms: BreakoutRooms | undefined

  constructor(request: Request, onChange: () => void) {
    this.#request = request
    this.#onChange = onChange
  }

  /** Undefined: there are none. Who does not moderate knows of the own room alone. */
  get rooms(): BreakoutRooms | undefined {
    return this.#rooms
  }

  /** Opens rooms; those who are assigned are asked to go there. @throws {MeetingError} */
  async open(rooms: NewBreakouts): Promise<void> {
    await this.#request('openBreakouts', rooms)
  }

  /** Assigns somebody to a room, or with null to none. @throws {MeetingError} */
  async assign(participantId: string, roomId: string | null): Promise<void> {
    await this.#request('assignBreakout', { peerId: participantId, roomId })
  }

  /** Returns the way into our room, or for a moderator into any: a meeting and the token for it. @throws {MeetingError} */
  async enter(roomId: string): Promise<BreakoutPass> {
    return (await this.#request('enterBreakout', { roomId })) as BreakoutPass
  }

  /** Says something in all rooms. @throws {MeetingError} */
  async announce(text: string): Promise<void> {
    await this.#request('announceBreakouts', { message: text })
  }

  /** Calls everybody back, and closes the rooms soon after. @throws {MeetingError} */
  async close(): Promise<void> {
    await this.#request('closeBreakouts')
  }

  heard(breakouts: BreakoutsOnWire | null): void {
    if (breakouts) {
      const { leftMs, ...rooms } = breakouts
      this.#rooms = { ...rooms, endsAt: leftMs === null ? null : performance.now() + leftMs }
    } else this.#rooms = undefined
    this.#onChange()
  }

  /** After each join, the server tells the rooms again. */
  reset(): void {
    if (this.#rooms) this.heard(null)
  }
}
