import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { Refusal } from '../../protocol/errors.ts'
import type { Link } from '../link.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'

export interface ProgramLinkOptions {
  /** Unique among all connections of the server. */
  connectionId: string
  /** The member was evicted or cut off; `refusal` says why, if there is one. */
  onClose: (reason: LeaveReason, refusal?: Refusal) => void
  /** Receives notifications for this member only. */
  onNotification?: (notification: Notification) => void
  /** Whether the program is still alive; default: true. */
  answers?: (withinMs: number) => Promise<boolean>
}

/** The link to a member without a client: requests cannot be answered, and lost media cannot be created again. */
export class ProgramLink implements Link {
  readonly connectionId: string
  readonly isOwnClient = false
  readonly baseUrl = ''
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
