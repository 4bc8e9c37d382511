/**
 * The interface by which a meeting reaches clients. `api/` implements it, so nothing here knows about sockets.
 */
import type { LeaveReason } from '../protocol/leave-reasons.ts'
import type { Notification, ServerRequests } from '../protocol/notifications.ts'
import type { Refusal } from '../protocol/errors.ts'

/** The link to one connection. No method throws; a closed connection drops what it is sent. */
export interface Link {
  readonly connectionId: string
  /** Whether it is a client of this project: it understands `mediaReset` (others are made to reconnect), and receives at most `MAX_VIDEO_STREAMS` cameras. */
  readonly isOwnClient: boolean
  /** The address by which the client reached this server, e.g. `https://meet.example.org`; empty for a member without a client. */
  readonly baseUrl: string
  /** The node that the client reached, if that is not this one. */
  readonly node?: string | undefined
  notify(...notifications: Notification[]): void
  /** Resolves to true if the client acknowledged in time. */
  request<E extends keyof ServerRequests>(event: E, payload: ServerRequests[E]): Promise<boolean>
  /** Resolves to true if the client answers within this time. */
  answers(withinMs: number): Promise<boolean>
  /** Closes in order: sends the refusal, if any, and the reason, then disconnects. */
  close(reason: LeaveReason, refusal?: Refusal): void
  /** Cuts the connection so that the client reconnects by itself; sends the reason, if any, first. */
  drop(why?: Refusal): void
}

/** A group of links: a notification to the group is serialised once. */
export interface Audience {
  add(link: Link): void
  remove(link: Link): void
  notify(notification: Notification, except?: Link): void
}

export type OpenAudience = (name: string) => Audience
