/**
 * Members: everything that takes part in a meeting, with or without a browser. A `Participant` has a seat and is visible; an `Onlooker` has
 * neither, but receives all notifications.
 */
import type { Tap, TapOptions } from '../../media/sfu.ts'
import type { StreamKind } from '../../protocol/media.ts'
import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { Notification } from '../../protocol/notifications.ts'

/** `relay`: represents a participant of another meeting; `ingress`: a program that only sends; `egress`: a program that only receives. */
export type MemberKind = 'person' | 'relay' | 'ingress' | 'egress' | 'agent'

export interface Member {
  readonly id: string
  readonly name: string
  readonly kind: MemberKind
  /** Whether the others see it. A hidden member has no seat, is in no record, and keeps no session alive. */
  readonly isVisible: boolean
  readonly sends: boolean
  readonly receives: boolean
}

/** A stream of a participant. */
export interface MeetingStream {
  producerId: string
  ownerId: string
  ownerName: string
  kind: StreamKind
  /** The sender's description. */
  appData: Readonly<Record<string, unknown>>
  /** Receives the stream; see `Router.openTap`. The tap closes when the stream ends. */
  open(options?: Pick<TapOptions, 'to' | 'rtpCapabilities'>): Promise<Tap>
}

/** A hidden program that receives: a recorder, a transcriber. Its methods must not throw. */
export interface Onlooker extends Member {
  readonly kind: 'egress' | 'agent'
  readonly isVisible: false
  readonly sends: false
  /** Receives every notification that goes to all participants. */
  tell(notification: Notification): void
  /** Offers a stream, present or new; the onlooker may take it or not. */
  offer(stream: MeetingStream): void
  /** An offered stream has left this meeting; it may continue in another. */
  withdraw(producerId: string): void
  /** The session ended, or the server is stopping. No call follows. */
  close(reason: LeaveReason): void
}
