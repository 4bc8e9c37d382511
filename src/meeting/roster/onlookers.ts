import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { Audience, Link } from '../link.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { MeetingStream, Onlooker } from './member.ts'

/** The onlookers of one meeting. An exception in one of them affects neither the others nor the meeting. */
export class Onlookers {
  readonly #all = new Set<Onlooker>()
  readonly #onError: (error: unknown, message: string) => void

  constructor(onError: (error: unknown, message: string) => void) {
    this.#onError = onError
  }

  add(onlooker: Onlooker): void {
    this.#all.add(onlooker)
  }

  /** Stops calling it. */
  remove(onlooker: Onlooker): void {
    this.#all.delete(onlooker)
  }

  tell(notification: Notification): void {
    this.#each((onlooker) => onlooker.tell(notification))
  }

  offer(stream: MeetingStream): void {
    this.#each((onlooker) => onlooker.offer(stream))
  }

  withdraw(producerId: string): void {
    this.#each((onlooker) => onlooker.withdraw(producerId))
  }

  closeAll(reason: LeaveReason): void {
    const all = [...this.#all]
    this.#all.clear()
    for (const onlooker of all) this.#attempt(() => onlooker.close(reason))
  }

  #each(work: (onlooker: Onlooker) => void): void {
    for (const onlooker of [...this.#all]) this.#attempt(() => work(onlooker))
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#onError(error, 'failed to notify an onlooker')
    }
  }
}

/** An audience whose notifications reach onlookers too. */
export class WatchedAudience implements Audience {
  readonly #audience: Audience
  readonly #onlookers: Onlookers

  constructor(audience: Audience, onlookers: Onlookers) {
    this.#audience = audience
    this.#onlookers = onlookers
  }

  add(link: Link): void {
    this.#audience.add(link)
  }

  remove(link: Link): void {
    this.#audience.remove(link)
  }

  notify(notification: Notification, except?: Link): void {
    this.#audience.notify(notification, except)
    this.#onlookers.tell(notification)
  }
}
