/**
 * How a meeting reaches people: given by `api/`, so that nothing here knows of sockets.
 */
import type { LeaveReason } from '../protocol/leave-reasons.ts'
import type { Notification, ServerRequests } from '../protocol/notifications.ts'
import type { Refusal } from '../protocol/errors.ts'

/** The way to one connection. None of it throws; a connection that is gone swallows what is said to it. */
export interface Link {
  readonly connectionId: string
  /** Whether the client knows `mediaReset`; another is made to reconnect instead. */
  readonly resetsMedia: boolean
  notify(...notifications: Notification[]): void
  /** Resolves with whether the client acknowledged in time. */
  request<E extends keyof ServerRequests>(event: E, payload: ServerRequests[E]): Promise<boolean>
  /** Resolves with whether the line is alive: false when the client's side has not answered within this time. */
  answers(withinMs: number): Promise<boolean>
  /** Orderly out: says why, then disconnects. The refusal, if any, is told first. */
  close(reason: LeaveReason, refusal?: Refusal): void
  /** Cuts the connection so that the client comes back by itself; the reason, if any, is told first. */
  drop(why?: Refusal): void
}

/** Many links under one name: what is said to it is serialised once. */
export interface Audience {
  add(link: Link): void
  remove(link: Link): void
  notify(notification: Notification, except?: Link): void
}

export type OpenAudience = (name: string) => Audience
