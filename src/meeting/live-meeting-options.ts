/** What a live meeting is built from. Types only. */
import type { Sfu } from '../media/sfu.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { MeetingRecord, Store } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { BreakoutRooms } from './breakouts/rooms.ts'
import type { Events } from './events.ts'
import type { OpenAudience } from './link.ts'
import type { MeetingEvents } from './meeting-events.ts'
import type { OutputParts } from './outputs/parts.ts'
import type { Announce } from './session/session-log.ts'
import type { MeetingSettings } from './settings.ts'

export interface LiveMeetingOptions {
  meeting: MeetingRecord
  settings: MeetingSettings
  store: Store
  sfu: Sfu
  openAudience: OpenAudience
  events: Events<MeetingEvents>
  announce: Announce
  /** Returns why a grant is no longer valid, if so. */
  refusalSince: (grant: Grant) => Refusal | undefined
  /** The last instant at which the server that left the session behind is known to have run. */
  lastAliveAt: number | undefined
  now: () => number
  newSessionId: () => string
  /** Makes unguessable ids: chat tickets, message ids. */
  newSecretId: () => string
  outputs: OutputParts
  /** Undefined where meetings have no breakout rooms. */
  rooms?: BreakoutRooms | undefined
  /** Receives errors of background work. */
  onError: (error: unknown, message: string) => void
  /** Called when nobody is inside, is waiting, or may return. */
  onIdle: () => void
}
