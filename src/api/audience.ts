/**
 * Many sockets under one name. What is said to them within a moment goes out together, serialised once; whoever comes
 * meanwhile hears only what is said afterwards, and whoever is spoken to directly has heard everything before.
 */
import type { Server } from 'socket.io'
import type { Audience, Link } from '../meeting/link.ts'
import type { Notification } from '../protocol/notifications.ts'

/**
 * So long does a notification wait for company: the more it goes to, the longer, as each time costs as much as there are
 * sockets. Nobody notices it; a crowd that joins at once costs a fraction.
 */
const SHORTEST_WAIT_MS = 10
const LONGEST_WAIT_MS = 40
const SOCKETS_PER_MS = 10

/** The audiences of each connection, by its id: they speak before it is spoken to. */
export type Memberships = Map<string, Set<SocketAudience>>

export class SocketAudience implements Audience {
  readonly #io: Server
  readonly #name: string
  readonly #memberships: Memberships
  #queue: { notification: Notification; except: string | undefined }[] = []
  /** Not in yet: they hear the queue from here on. */
  readonly #newcomers = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(io: Server, name: string, memberships: Memberships) {
    this.#io = io
    this.#memberships = memberships
    this.#name = name
  }

  add({ connectionId }: Link): void {
    // One that is gone, or no socket at all, hears nothing.
    if (!this.#io.sockets.sockets.has(connectionId)) return
    const audiences = this.#memberships.get(connectionId)
    if (audiences) audiences.add(this)
    else this.#memberships.set(connectionId, new Set([this]))
    if (this.#queue.length > 0) this.#newcomers.set(connectionId, this.#queue.length)
    else this.#enter(connectionId)
  }

  remove({ connectionId }: Link): void {
    this.#newcomers.delete(connectionId)
    const audiences = this.#memberships.get(connectionId)
    audiences?.delete(this)
    if (audiences?.size === 0) this.#memberships.delete(connectionId)
    void this.#io.sockets.sockets.get(connectionId)?.leave(this.#name)
  }

  notify(notification: Notification, except?: Link): void {
    this.#queue.push({ notification, except: except?.connectionId })
    this.#timer ??= setTimeout(() => this.flush(), this.#waitMs)
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const queue = this.#queue
    if (queue.length === 0) return
    this.#queue = []
    for (let from = 0; from < queue.length;) {
      const { except } = queue[from]!
      let to = from + 1
      while (to < queue.length && queue[to]!.except === except) to++
      const all = this.#io.to(this.#name)
      say(except === undefined ? all : all.except(except), queue.slice(from, to))
      from = to
    }
    for (const [connectionId, from] of this.#newcomers) {
      const socket = this.#io.sockets.sockets.get(connectionId)
      const missed = queue.slice(from).filter(({ except }) => except !== connectionId)
      if (socket && missed.length > 0) say(socket, missed)
      this.#enter(connectionId)
    }
    this.#newcomers.clear()
  }

  get #waitMs(): number {
    const sockets = this.#io.sockets.adapter.rooms.get(this.#name)?.size ?? 0
    return Math.min(Math.max(sockets / SOCKETS_PER_MS, SHORTEST_WAIT_MS), LONGEST_WAIT_MS)
  }

  #enter(connectionId: string): void {
    void this.#io.sockets.sockets.get(connectionId)?.join(this.#name)
  }
}

function say(
  to: { emit(event: string, payload: unknown): unknown },
  queued: readonly { notification: Notification }[],
): void {
  const notifications = queued.map(({ notification }) => notification)
  if (notifications.length === 1) to.emit('notification', notifications[0])
  else to.emit('batchNotification', { notifications })
}
