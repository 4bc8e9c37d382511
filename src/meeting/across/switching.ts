/**
 * The link between another meeting and a participant who is still in the old one and wants to switch: messages get through,
 * and a refusal ends the switch, not the connection (contract, signalling §4.5).
 */
import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { Notification, ServerRequests } from '../../protocol/notifications.ts'
import type { Refusal } from '../../protocol/errors.ts'
import type { Link } from '../link.ts'

export class SwitchingLink implements Link {
  readonly #link: Link
  readonly #participantId: string
  readonly #meetingId: string
  readonly #onRefused: () => void
  #over = false

  constructor(link: Link, to: { participantId: string; meetingId: string; onRefused: () => void }) {
    this.#link = link
    this.#participantId = to.participantId
    this.#meetingId = to.meetingId
    this.#onRefused = to.onRefused
  }

  get connectionId(): string {
    return this.#link.connectionId
  }

  get isOwnClient(): boolean {
    return this.#link.isOwnClient
  }

  get baseUrl(): string {
    return this.#link.baseUrl
  }

  get node(): string | undefined {
    return this.#link.node
  }

  /** The participant has switched: from here on this is its link. */
  arrive(): void {
    this.#over = true
  }

  notify(...notifications: Notification[]): void {
    this.#link.notify(
      ...notifications.map((notification) =>
        this.#letsIn(notification) ? { ...notification, switchingRoomId: this.#meetingId } : notification,
      ),
    )
  }

  #letsIn(notification: Notification): boolean {
    return (
      !this.#over &&
      notification.method === 'entryResponded' &&
      notification.id === this.#participantId &&
      notification.decision === 'allowed'
    )
  }

  request<E extends keyof ServerRequests>(event: E, payload: ServerRequests[E]): Promise<boolean> {
    return this.#link.request(event, payload)
  }

  answers(withinMs: number): Promise<boolean> {
    return this.#link.answers(withinMs)
  }

  close(reason: LeaveReason, refusal?: Refusal): void {
    if (this.#over) {
      this.#link.close(reason, refusal)
      return
    }
    if (refusal) {
      this.#link.notify({
        method: 'error',
        code: refusal.number,
        name: refusal.code,
        message: refusal.message,
      })
    }
    this.#onRefused()
  }

  drop(why?: Refusal): void {
    if (this.#over) this.#link.drop(why)
    else this.#onRefused()
  }
}
