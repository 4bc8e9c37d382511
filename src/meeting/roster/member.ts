/**
 * Whoever takes part in a meeting, with a browser or without one. A `Participant` has a seat and is seen; an `Onlooker` has
 * neither, and is told of everything all the same.
 */
import type { Tap, TapOptions } from '../../media/sfu.ts'
import type { StreamKind } from '../../protocol/media.ts'
import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { Notification } from '../../protocol/notifications.ts'

/** `relay`: stands for a participant of another meeting; `ingress`: a program that only sends; `egress`: one that only receives. */
export type MemberKind = 'person' | 'relay' | 'ingress' | 'egress' | 'agent'

export interface Member {
  readonly id: string
  readonly name: string
  readonly kind: MemberKind
  /** Whether the others see it. One that they do not see has no seat, is in no record, and keeps no session alive. */
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
  /** As its sender described it. */
  appData: Readonly<Record<string, unknown>>
  /** Takes the stream; see `Router.openTap`. The tap is gone when the stream ends. */
  open(options?: Pick<TapOptions, 'to' | 'rtpCapabilities'>): Promise<Tap>
}

/** A program that receives and is not seen: a recorder, a transcriber. None of what it is told may throw. */
export interface Onlooker extends Member {
  readonly kind: 'egress' | 'agent'
  readonly isVisible: false
  readonly sends: false
  /** What all participants are told. */
  tell(notification: Notification): void
  /** A stream is there, or began: it takes it or leaves it. */
  offer(stream: MeetingStream): void
  /** A stream that it was offered is not in this meeting any more; it may go on in another. */
  withdraw(producerId: string): void
  /** The session is over, or the server stops. Nothing is told after it. */
  close(reason: LeaveReason): void
}
