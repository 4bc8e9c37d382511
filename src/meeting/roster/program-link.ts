import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { Refusal } from '../../protocol/errors.ts'
import type { Link } from '../link.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'

export interface ProgramLinkOptions {
  /** Unique among all connections of this server. */
  connectionId: string
  /** Put out of the meeting, or cut off from it: `refusal` says why, where there is one. */
  onClose: (reason: LeaveReason, refusal?: Refusal) => void
  /** What this member alone is told. */
  onNotification?: (notification: Notification) => void
  /** Whether it is still there; it is by default. */
  answers?: (withinMs: number) => Promise<boolean>
}

/** The way to a member that has no client of ours: there is nobody to ask, and media that is lost cannot be made anew. */
export class ProgramLink implements Link {
  readonly connectionId: string
  readonly resetsMedia = false
  readonly #options: ProgramLinkOptions

  constructor(options: ProgramLinkOptions) {
    this.#options = options
    this.connectionId = options.connectionId
  }

  notify(...notifications: Notification[]): void {
    for (const notification of notifications) this.#options.onNotification?.(notification)
  }

  request(): Promise<boolean> {
    return Promise.resolve(false)
  }

  answers(withinMs: number): Promise<boolean> {
    return this.#options.answers?.(withinMs) ?? Promise.resolve(true)
  }

  close(reason: LeaveReason, refusal?: Refusal): void {
    this.#options.onClose(reason, refusal)
  }

  drop(why?: Refusal): void {
    this.close(leaveReason('UNKNOWN'), why)
  }
}
