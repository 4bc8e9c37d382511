/**
 * The breakout rooms of one meeting. A room is a meeting of its own; this meeting decides who belongs to it, lets them in with tokens for
 * this room alone, calls them back, and closes it. The plan is written before it holds, so rooms outlive the host and this process.
 */
import type { BreakoutPass, BreakoutSwitch, NewBreakouts } from '../../protocol/breakouts.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { MeetingRecord } from '../../store/store.ts'
import type { Participant } from '../roster/participant.ts'
import type { Roster } from '../roster/roster.ts'
import type { Session } from '../session/session.ts'
import type { SessionLifecycle } from '../session/lifecycle.ts'
import { Refusal } from '../../protocol/errors.ts'
import { assertMay, idOf, SERVER, type Actor } from '../roster/actor.ts'
import { can } from '../roster/permissions.ts'
import { noSession } from '../session/session.ts'
import {
  asAsking,
  holderOf,
  leftOf,
  noRooms,
  planOf,
  refusalToGo,
  tellableOf,
  without,
  withAssigned,
  withVisitor,
  type Assigned,
  type Assignee,
  type Person,
  type Plan,
} from './plan.ts'
import type { BreakoutRooms, RoomEvent } from './rooms.ts'

/** What leads somebody to another meeting. */
type Way = Pick<Extract<RoomEvent, { type: 'switch' }>, 'roomId' | 'token' | 'payload'>

/** Time for those who were called back to end their sentence. */
const CLOSING_MS = 30_000
/** How often a meeting looks who is in its rooms. */
const LOOK_MS = 2000
/** How long people may take to come back to their rooms when a server was restarted, or the rooms moved to another. */
const RETURN_MS = 15_000

export interface BreakoutsOptions {
  meeting: () => MeetingRecord
  /** Absent where meetings have no rooms. */
  rooms?: BreakoutRooms | undefined
  roster: Roster
  sessions: SessionLifecycle
  now: () => number
  onError: (error: unknown, message: string) => void
}

export class Breakouts {
  readonly #options: BreakoutsOptions
  /** Who is in each room. */
  #people = new Map<string, { id: string; name: string }[]>()
  /** As long as this, rooms count as occupied: people come back to them when their server stops. */
  #heldUntil = 0
  #deadline: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(options: BreakoutsOptions) {
    this.#options = options
  }

  get #plan(): Plan | undefined {
    return this.#options.sessions.current?.decisions.breakouts
  }

  /** Opens rooms, and sends those who are assigned there. */
  async open(by: Participant, asked: NewBreakouts): Promise<void> {
    assertMay(by, 'breakouts')
    const { meeting, sessions, now } = this.#options
    const rooms = this.#rooms
    const session = sessions.required
    await session.inTurn(async () => {
      assertMay(by, 'breakouts')
      if (session.decisions.breakouts)
        throw new Refusal('INVALID_STATE', {
          message: 'There are breakout rooms already; call everybody back first.',
        })
      const made: string[] = []
      try {
        for (const { name } of asked.rooms)
          made.push(await rooms.create(meeting(), session.sessionId, name.trim()))
        assertMay(by, 'breakouts')
        await this.#decide(
          session,
          planOf(made, asked, (id) => this.#present(id), now()),
        )
        // A session that ended meanwhile did not know of them, and closed none.
        if (sessions.current !== session) throw noSession()
      } catch (error) {
        this.#closeRooms(made)
        throw error
      }
    })
    this.#follow()
    for (const assigned of this.#plan?.assigned ?? []) this.#send(by, assigned)
  }

  /** Assigns somebody to a room, also one who is in another, or with null to none, which brings that person back. */
  async assign(by: Participant, peerId: string, roomId: string | null): Promise<void> {
    assertMay(by, 'breakouts')
    const session = this.#options.sessions.required
    let was: Assigned | undefined
    let is: Assigned | undefined
    await session.inTurn(async () => {
      assertMay(by, 'breakouts')
      const plan = session.decisions.breakouts
      if (!plan) throw noRooms()
      const refusal = roomId !== null && refusalToGo(plan, { ...by.holder, moderates: true }, roomId)
      if (refusal) throw refusal
      was = plan.assigned.find(({ participantId }) => participantId === peerId)
      const person = this.#present(peerId) ?? was
      if (!person)
        throw new Refusal('NOT_FOUND', { message: 'The participant is neither here nor in a room.' })
      const next = withAssigned(plan, person, roomId)
      is = next.assigned.find(({ participantId }) => participantId === peerId)
      await this.#decide(session, next)
    })
    if (is && this.#present(peerId)) this.#send(by, is)
    if (!was || was.roomId === is?.roomId) return
    // Somebody else may have this id in the meeting now; the way of that one is not for the one in the room.
    this.#tell(was.roomId, is?.tokenId === was.tokenId ? is : null, was)
  }

  /** Gives a participant the way into a room: the one it is assigned to, or for a moderator any. */
  async enter(by: Participant, roomId: string): Promise<BreakoutPass> {
    const { sessions, now } = this.#options
    const session = sessions.required
    const assertMayGo = (): Plan => {
      if (!by.joined) throw new Refusal('INVALID_STATE')
      const plan = session.decisions.breakouts
      const refusal = refusalToGo(plan, asAsking(by), roomId)
      if (refusal) throw refusal
      return plan!
    }
    assertMayGo()
    await session.inTurn(async () => {
      const plan = assertMayGo()
      const visits = asAsking(by).moderates ? withVisitor(plan, by.holder) : plan
      if (visits !== plan) await this.#decide(session, visits)
    })
    const plan = assertMayGo()
    const { name } = plan.rooms.find((room) => room.roomId === roomId)!
    const token = this.#rooms.mint(by.grant, { roomId, participantId: by.id })
    return { roomId, token, name, leftMs: leftOf(plan, now()) }
  }

  /** Says something in all rooms. */
  async announce(by: Participant, text: string): Promise<void> {
    assertMay(by, 'breakouts')
    const plan = this.#plan
    if (!plan) throw noRooms()
    const from = { id: by.id, name: by.name, holder: by.holder }
    await Promise.all(
      plan.rooms.map(({ roomId }) => this.#rooms.tell(roomId, { type: 'announce', from, text })),
    )
  }

  /** Calls everybody back. The rooms are closed when all have come, or some time later. */
  async close(by: Actor): Promise<void> {
    assertMay(by, 'breakouts')
    const { sessions, now } = this.#options
    const session = sessions.required
    let called: Plan | undefined
    await session.inTurn(async () => {
      assertMay(by, 'breakouts')
      const plan = session.decisions.breakouts
      if (plan?.closesAt !== null) return
      called = { ...plan, closesAt: now() + CLOSING_MS }
      await this.#decide(session, called)
    })
    if (!called) return
    for (const { roomId } of called.rooms) this.#tell(roomId, null)
    this.#follow()
    await this.#watch()
  }

  /** Somebody was removed from the meeting: whoever is kept out of it now must leave its rooms too. */
  remove(session: Session, removed: Person): void {
    const plan = session.decisions.breakouts
    if (!plan) return
    const known: Person[] = [...plan.assigned, ...plan.visitors]
    const out = [removed, ...known.filter((one) => session.keepsOut(one))].map(holderOf)
    for (const { roomId } of plan.rooms) this.#order(roomId, { type: 'remove', out })
  }

  /** Who is assigned to a room with this id, also while only in that room. */
  assigned(participantId: string): Assigned | undefined {
    return this.#plan?.assigned.find((one) => one.participantId === participantId)
  }

  /** Call this `inTurn`: a person loses the way into all rooms until somebody assigns it again. */
  async takeBack(session: Session, person: Person): Promise<void> {
    const plan = session.decisions.breakouts
    const next = plan && without(plan, person)
    if (next !== plan) await this.#decide(session, next)
  }

  /** The rooms, for somebody who joins; nothing if there are none. */
  notificationsFor(participant: Participant): Notification[] {
    const plan = this.#plan
    return plan ? [this.#notification(plan, participant)] : []
  }

  /** Whether somebody is in a room, for whom the session has to go on. */
  async isOccupied(): Promise<boolean> {
    if (!this.#plan) return false
    if (this.#options.now() < this.#heldUntil) return true
    await this.#look()
    if ([...this.#people.values()].every((people) => people.length === 0)) return false
    this.#heldUntil = this.#options.now() + RETURN_MS
    return true
  }

  /** A session was restored: its rooms go on. */
  resume(): void {
    if (!this.#plan) return
    this.#heldUntil = this.#options.now() + RETURN_MS
    this.#follow()
  }

  /** The session ends, and with it its rooms. */
  end(): void {
    const plan = this.#plan
    this.#rest()
    if (plan) this.#closeRooms(plan.rooms.map(({ roomId }) => roomId))
  }

  /** This process looks after the rooms no more. */
  stop(): void {
    this.#isStopped = true
    this.#rest()
  }

  #rest(): void {
    clearTimeout(this.#deadline)
    clearTimeout(this.#looking)
    this.#looking = undefined
  }

  get #rooms(): BreakoutRooms {
    const { rooms, meeting } = this.#options
    if (!rooms || meeting().settings.breakoutOf)
      throw new Refusal('INVALID_STATE', { message: 'A breakout room has no rooms of its own.' })
    return rooms
  }

  #present(id: string): Assignee | undefined {
    const there = this.#options.roster.get(id)
    if (!there?.joined || !there.isVisible || there.relayed) return undefined
    const { tokenId, name, grant } = there
    return { participantId: id, tokenId, name, apiKey: grant.apiKey, entry: grant.entry }
  }

  async #decide(session: Session, breakouts: Plan | undefined): Promise<void> {
    await session.decide({ ...session.decisions, breakouts })
    if (this.#options.sessions.current === session) this.#tellAll()
  }

  #tellAll(): void {
    const plan = this.#plan
    for (const participant of this.#options.roster.joined())
      participant.link.notify(
        plan ? this.#notification(plan, participant) : { method: 'breakoutsChanged', breakouts: null },
      )
  }

  #notification(plan: Plan, participant: Participant): Notification {
    return {
      method: 'breakoutsChanged',
      breakouts: tellableOf(plan, asAsking(participant), this.#people, this.#options.now()),
    }
  }

  /** Sends somebody who is in this meeting to a room. */
  #send(by: Actor, assigned: Assigned): void {
    const participant = this.#options.roster.get(assigned.participantId)
    if (!participant?.joined || participant.tokenId !== assigned.tokenId) return
    const way = this.#wayTo(assigned)
    if (way) void participant.link.request('switchRoom', { ...way, peerId: idOf(by) })
  }

  /** Leads people out of a room: to another one, or with null back. */
  #tell(roomId: string, to: Assigned | null, who?: Person): void {
    const back = { roomId: this.#options.meeting().meetingId, token: null, payload: this.#payload() }
    const way = to ? this.#wayTo(to) : back
    if (way) this.#order(roomId, { type: 'switch', ...way, ...(who && { who: holderOf(who) }) })
  }

  #order(roomId: string, event: RoomEvent): void {
    const { onError } = this.#options
    this.#rooms
      .tell(roomId, event)
      .catch((error: unknown) => onError(error, 'failed to tell a breakout room'))
  }

  #wayTo(assigned: Assigned): Way | undefined {
    const { roomId } = assigned
    const room = this.#plan?.rooms.find((one) => one.roomId === roomId)
    if (!room) return undefined
    try {
      return { roomId, token: this.#rooms.mint(assigned, assigned), payload: this.#payload(room.name) }
    } catch (error) {
      // Its key was revoked meanwhile, and so was its place here.
      this.#options.onError(error, 'failed to lead a participant to a breakout room')
      return undefined
    }
  }

  #payload(name?: string): BreakoutSwitch {
    const { meeting, now } = this.#options
    const leftMs = this.#plan ? leftOf(this.#plan, now()) : null
    return { breakout: { ...(name !== undefined && { name }), parentId: meeting().meetingId, leftMs } }
  }

  /** Looks after the rooms until they are closed. */
  #follow(): void {
    const { now, onError } = this.#options
    this.#rest()
    const plan = this.#plan
    if (!plan || this.#isStopped) return
    const leftMs = leftOf(plan, now())
    if (leftMs !== null) {
      const act = (): Promise<void> => (plan.closesAt === null ? this.close(SERVER) : this.#finish())
      this.#deadline = setTimeout(() => {
        act().catch((error: unknown) => onError(error, 'failed to close breakout rooms'))
      }, leftMs).unref()
    }
    this.#lookLater()
  }

  #lookLater(): void {
    clearTimeout(this.#looking)
    this.#looking = setTimeout(() => {
      this.#watch()
        .catch((error: unknown) => this.#options.onError(error, 'failed to look after breakout rooms'))
        .finally(() => {
          if (this.#plan && this.#looking) this.#lookLater()
        })
    }, LOOK_MS).unref()
  }

  /** Tells who moves between rooms, and ends a call that all have followed. */
  async #watch(): Promise<void> {
    const { roster } = this.#options
    const isClosing = this.#plan?.closesAt !== null
    const isWatched = roster.joined().some(({ authority }) => can(authority, 'breakouts'))
    if (!isClosing && !isWatched) return
    const before = JSON.stringify([...this.#people])
    await this.#look()
    const plan = this.#plan
    if (!plan) return
    if (isClosing && [...this.#people.values()].every((people) => people.length === 0)) {
      await this.#finish()
      return
    }
    if (JSON.stringify([...this.#people]) === before) return
    for (const participant of roster.joined())
      if (can(participant.authority, 'breakouts'))
        participant.link.notify(this.#notification(plan, participant))
  }

  async #look(): Promise<void> {
    const { rooms = [] } = this.#plan ?? {}
    const found = await Promise.all(
      rooms.map(async ({ roomId }) => [roomId, await this.#rooms.people(roomId)] as const),
    )
    this.#people = new Map(found)
  }

  async #finish(): Promise<void> {
    const { sessions, meeting } = this.#options
    const session = sessions.required
    await session.inTurn(async () => {
      const plan = session.decisions.breakouts
      if (typeof plan?.closesAt !== 'number') return
      // First the rooms: after a crash in between they are closed again.
      await this.#rooms.close(
        meeting().projectId,
        plan.rooms.map(({ roomId }) => roomId),
      )
      this.#people.clear()
      await this.#decide(session, undefined)
    })
    // There may be new rooms already.
    this.#follow()
  }

  #closeRooms(roomIds: readonly string[]): void {
    const { meeting, onError } = this.#options
    this.#rooms
      .close(meeting().projectId, roomIds)
      .catch((error: unknown) => onError(error, 'failed to close breakout rooms'))
  }
}
