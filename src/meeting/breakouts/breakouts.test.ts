/** Breakout rooms while something else happens: what was true before a wait is asked again after it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as tasks } from 'node:timers/promises'
import type { Participant } from '../roster/participant.ts'
import type { Session } from '../session/session.ts'
import { Refusal } from '../../protocol/errors.ts'
import { noDecisions, type Decisions } from '../session/decisions.ts'
import { Breakouts } from './breakouts.ts'
import type { BreakoutRooms, RoomEvent } from './rooms.ts'

interface Someone {
  id: string
  tokenId: string
  authority: { canAdmit: boolean; canModerate: boolean }
  joined: boolean
}

const someone = (id: string, { moderates = false, tokenId = `jti:${id}` } = {}): Someone & Participant => {
  const authority = { canAdmit: moderates, canModerate: moderates }
  const grant = { apiKey: 'key', entry: moderates ? 'moderator' : 'ask', tokenId }
  const link = { notify: () => undefined, request: () => Promise.resolve(true) }
  const holder = { participantId: id, tokenId }
  return { id, name: id, tokenId, holder, authority, grant, link, joined: true, isVisible: true } as never
}

/** The first wait of the kind that a test holds goes on when it says so. */
function setting() {
  const inside = new Map<string, Participant>()
  const told: [roomId: string, RoomEvent][] = []
  const closed: string[] = []
  const holds = new Map<'create' | 'decide' | 'people', Promise<unknown>>()
  let at = 1000
  let made = 0
  const rooms: BreakoutRooms = {
    create: async () => {
      await holds.get('create')
      return `r${++made}`
    },
    mint: ({ tokenId, entry }) => `${tokenId}/${entry}`,
    people: async () => {
      await holds.get('people')
      return people
    },
    tell: (roomId, event) => Promise.resolve(void told.push([roomId, event])),
    close: (_project, ids) => Promise.resolve(void closed.push(...ids)),
  }
  let people: { id: string; name: string }[] = []
  let turn: Promise<unknown> = Promise.resolve()
  const session = {
    sessionId: 's',
    decisions: noDecisions,
    keepsOut: () => false,
    inTurn: (work: () => Promise<void>) => {
      const done = turn.then(work)
      turn = done.catch(() => undefined)
      return done
    },
    decide: async (decisions: Decisions) => {
      await holds.get('decide')
      session.decisions = decisions
    },
  }
  const sessions = {
    current: session as unknown as Session | undefined,
    get required() {
      return session as unknown as Session
    },
  }
  const breakouts = new Breakouts({
    meeting: () => ({ meetingId: 'm', projectId: 'p', settings: {} }) as never,
    rooms,
    roster: { get: (id: string) => inside.get(id), joined: () => [...inside.values()] } as never,
    sessions: sessions as never,
    now: () => at,
    onError: (error) => assert.fail(error as Error),
  })
  return {
    breakouts,
    session,
    closed,
    told,
    enters: (...all: Participant[]) => all.forEach((one) => inside.set(one.id, one)),
    hold: (what: 'create' | 'decide' | 'people') => {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      holds.set(what, promise)
      return () => {
        holds.delete(what)
        resolve(undefined)
      }
    },
    endSession: () => {
      breakouts.end()
      sessions.current = undefined
      for (const one of inside.values()) one.joined = false
    },
    areInside: (...ids: string[]) => (people = ids.map((id) => ({ id, name: id }))),
    pass: (ms: number) => (at += ms),
  }
}

const twoRooms = {
  rooms: [
    { name: 'Red', peerIds: ['ann'] },
    { name: 'Blue', peerIds: [] },
  ],
}
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code

for (const held of ['create', 'decide'] as const)
  test(`a session that ends while its rooms are made (${held}) leaves none open`, async () => {
    const { breakouts, enters, hold, endSession, closed } = setting()
    const host = someone('host', { moderates: true })
    enters(host)
    const release = hold(held)
    const opening = breakouts.open(host, twoRooms)
    await tasks()
    endSession()
    release()
    await assert.rejects(opening, Refusal)
    assert.deepEqual(closed, ['r1', 'r2'])
  })

test('whoever is no moderator any more when the rooms are made opens none', async () => {
  const { breakouts, enters, hold, session, closed } = setting()
  const host = someone('host', { moderates: true })
  enters(host)
  const release = hold('create')
  const opening = breakouts.open(host, twoRooms)
  await tasks()
  host.authority = { canAdmit: false, canModerate: false }
  release()
  await assert.rejects(opening, refused('INVALID_PERMISSIONS'))
  assert.equal(session.decisions.breakouts, undefined)
  assert.deepEqual(closed, ['r1', 'r2'])
})

test('whoever is no moderator any more when its turn comes visits no room', async () => {
  const { breakouts, enters, hold, session } = setting()
  const [host, carl] = [someone('host', { moderates: true }), someone('carl', { moderates: true })]
  enters(host, carl)
  await breakouts.open(host, twoRooms)
  const release = hold('decide')
  const before = session.inTurn(() => session.decide(session.decisions))
  const entering = breakouts.enter(carl, 'r2')
  await tasks()
  carl.authority = { canAdmit: false, canModerate: false }
  release()
  await before
  await assert.rejects(entering, refused('INVALID_PERMISSIONS'))
  assert.deepEqual(session.decisions.breakouts!.visitors, [])
  breakouts.stop()
})

test('the one in a room does not get the way of another who has the same id in the meeting', async () => {
  const { breakouts, enters, told } = setting()
  const host = someone('host', { moderates: true })
  enters(host, someone('ann'))
  await breakouts.open(host, twoRooms)
  enters(someone('ann', { moderates: true, tokenId: 'jti:other' }))
  await breakouts.assign(host, 'ann', 'r2')
  const [[roomId, event]] = told as [[string, Extract<RoomEvent, { type: 'switch' }>]]
  assert.equal(roomId, 'r1')
  assert.deepEqual([event.who, event.token], [{ participantId: 'ann', tokenId: 'jti:ann' }, null])
  breakouts.stop()
})

test('new rooms that open while the former ones are closed are called back too', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { breakouts, enters, areInside, hold, session, pass } = setting()
  const host = someone('host', { moderates: true })
  enters(host, someone('ann'))
  await breakouts.open(host, twoRooms)
  areInside('ann')
  await breakouts.close(host)
  // A look that finds everybody gone ends after the time of the call did, and after new rooms were opened.
  areInside()
  const release = hold('people')
  pass(30_000)
  t.mock.timers.tick(30_000)
  await tasks()
  await breakouts.open(host, { ...twoRooms, seconds: 60 })
  release()
  await tasks()
  assert.equal(session.decisions.breakouts!.closesAt, null)
  pass(60_000)
  t.mock.timers.tick(60_000)
  await tasks()
  assert.notEqual(session.decisions.breakouts?.closesAt, null)
  breakouts.stop()
})

test('a process that looks after the rooms no more looks no more, also after a look that was under way', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { breakouts, enters, hold } = setting()
  const host = someone('host', { moderates: true })
  enters(host)
  await breakouts.open(host, twoRooms)
  const release = hold('people')
  t.mock.timers.tick(2000)
  breakouts.stop()
  release()
  await tasks()
  const again = t.mock.method(globalThis, 'setTimeout')
  await tasks()
  t.mock.timers.tick(10_000)
  await tasks()
  assert.equal(again.mock.callCount(), 0)
})

test('rooms whose people were just cut off still hold the meeting', async () => {
  const { breakouts, enters, areInside, pass } = setting()
  const host = someone('host', { moderates: true })
  enters(host)
  await breakouts.open(host, twoRooms)
  areInside('ann')
  assert.equal(await breakouts.isOccupied(), true)
  areInside()
  pass(10_000)
  assert.equal(await breakouts.isOccupied(), true)
  pass(10_000)
  assert.equal(await breakouts.isOccupied(), false)
  breakouts.stop()
})
