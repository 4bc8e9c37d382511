/**
 * A group of clients that get the same notifications. Notifications within a short time are sent together, and
 * serialised once for all clients that understand the same form. A client that joins in between gets only later
 * notifications; before a direct message to a client, everything queued for it is sent.
 */
import type { Server } from 'socket.io'
import type { Audience, Link } from '../../meeting/link.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { ClientLink, Memberships } from './client-link.ts'
import { notificationFor, type ClientTraits } from '../../protocol/clients.ts'
import { ProtooWire, encodeNotifications } from './protoo.ts'
import { sendNotifications } from './socket-io.ts'

/**
 * Coalescing delay. It grows with the audience, because every flush costs one write per socket. Nobody notices it, and
 * a crowd that joins at once costs a fraction.
 */
const SHORTEST_WAIT_MS = 10
const LONGEST_WAIT_MS = 40
const SOCKETS_PER_MS = 10

interface Queued {
  notification: Notification
  except: string | undefined
}

/** The members that understand the same form. */
interface Group {
  traits: ClientTraits
  /** The room of socket.io. */
  room: string
  members: Map<string, ClientLink>
}

export class SocketAudience implements Audience {
  readonly #io: Server
  readonly #name: string
  /** Every open connection, by its id. */
  readonly #links: ReadonlyMap<string, ClientLink>
  readonly #memberships: Memberships
  readonly #groups = new Map<string, Group>()
  #queue: Queued[] = []
  /** Clients that are not in a group yet: the number of queued notifications that they do not get. */
  readonly #newcomers = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(io: Server, name: string, links: ReadonlyMap<string, ClientLink>, memberships: Memberships) {
    this.#io = io
    this.#name = name
    this.#links = links
    this.#memberships = memberships
  }

  add({ connectionId }: Link): void {
    // A closed connection, or one without a socket, gets nothing.
    if (!this.#links.has(connectionId)) return
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
    for (const [form, group] of this.#groups) {
      if (!group.members.delete(connectionId)) continue
      void this.#io.sockets.sockets.get(connectionId)?.leave(group.room)
      if (group.members.size === 0) this.#groups.delete(form)
    }
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
      const notifications = queue.slice(from, to).map(({ notification }) => notification)
      for (const group of this.#groups.values()) this.#say(group, notifications, except)
      from = to
    }
    for (const [connectionId, from] of this.#newcomers) {
      const link = this.#links.get(connectionId)
      const missed = queue.slice(from).filter(({ except }) => except !== connectionId)
      if (link && missed.length > 0)
        link.deliver(missed.map(({ notification }) => notificationFor(link.traits, notification)))
      this.#enter(connectionId)
    }
    this.#newcomers.clear()
  }

  get #waitMs(): number {
    let members = 0
    for (const group of this.#groups.values()) members += group.members.size
    return Math.min(Math.max(members / SOCKETS_PER_MS, SHORTEST_WAIT_MS), LONGEST_WAIT_MS)
  }

  #say(group: Group, queued: readonly Notification[], except: string | undefined): void {
    const { traits } = group
    const notifications = queued.map((notification) => notificationFor(traits, notification))
    if (traits.envelope === 'socket.io') {
      const all = this.#io.to(group.room)
      sendNotifications(except === undefined ? all : all.except(except), notifications, traits)
      return
    }
    const frames = encodeNotifications(notifications)
    for (const [connectionId, { wire, closing }] of group.members)
      if (connectionId !== except && !closing && wire instanceof ProtooWire) wire.send(...frames)
  }

  #enter(connectionId: string): void {
    const link = this.#links.get(connectionId)
    if (!link) return
    const { envelope, bundles, oldModes } = link.traits
    const form = `${envelope} ${bundles} ${oldModes}`
    let group = this.#groups.get(form)
    if (!group) {
      group = { traits: link.traits, room: `${this.#name} ${form}`, members: new Map() }
      this.#groups.set(form, group)
    }
    group.members.set(connectionId, link)
    void this.#io.sockets.sockets.get(connectionId)?.join(group.room)
  }
}
