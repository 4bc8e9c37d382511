import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  leftOf,
  MAX_ASSIGNED,
  MAX_VISITORS,
  planOf,
  refusalAtRoom,
  refusalToGo,
  roomOf,
  tellableOf,
  withAssigned,
  withVisitor,
  type Assignee,
  type Plan,
} from './plan.ts'

const person = (participantId: string, tokenId = `jti:${participantId}`): Assignee => ({
  participantId,
  tokenId,
  name: participantId.toUpperCase(),
  apiKey: 'key',
  entry: 'direct',
})
const people = new Map(['ann', 'bob', 'carl'].map((id) => [id, person(id)]))
const plan: Plan = planOf(
  ['r1', 'r2'],
  {
    rooms: [
      { name: ' Red ', peerIds: ['ann', 'nobody'] },
      { name: 'Blue', peerIds: ['bob', 'ann'] },
    ],
    seconds: 60,
  },
  (id) => people.get(id),
  1000,
)
const closing = { ...plan, closesAt: 31_000 }

test('a plan assigns each of those who are here to one room', () => {
  assert.deepEqual(plan.rooms, [
    { roomId: 'r1', name: 'Red' },
    { roomId: 'r2', name: 'Blue' },
  ])
  assert.deepEqual(
    plan.assigned.map(({ participantId, roomId }) => [participantId, roomId]),
    [
      ['ann', 'r1'],
      ['bob', 'r2'],
    ],
  )
  assert.equal(plan.endsAt, 61_000)
  assert.equal(
    planOf(['r1'], { rooms: [{ name: 'One', peerIds: [] }], seconds: null }, () => undefined, 0).endsAt,
    null,
  )
})

test('a room belongs to an id and a token, and an assignment replaces the former one', () => {
  assert.equal(roomOf(plan, person('ann')), 'r1')
  assert.equal(roomOf(plan, person('ann', 'jti:other')), undefined)
  const moved = withAssigned(plan, person('ann'), 'r2')
  assert.equal(roomOf(moved, person('ann')), 'r2')
  assert.equal(moved.assigned.length, 2)
  assert.equal(roomOf(withAssigned(plan, person('ann'), null), person('ann')), undefined)
  assert.equal(withVisitor(withVisitor(plan, person('carl')), person('carl')).visitors.length, 1)
})

test('a plan stays small enough to be written with each change', () => {
  const many = Array.from({ length: MAX_ASSIGNED }, (_, at) => person(`p${at}`))
  const full = { ...plan, assigned: many.map((one) => ({ ...one, roomId: 'r1' })) }
  assert.throws(() => withAssigned(full, person('ann'), 'r1'), { code: 'INVALID_STATE' })
  assert.equal(withAssigned(full, person('p1'), 'r2').assigned.length, MAX_ASSIGNED)
  const ids = [...many, person('ann')].map(({ participantId }) => participantId)
  assert.throws(() => planOf(['r1'], { rooms: [{ name: 'One', peerIds: ids }] }, (id) => person(id), 0), {
    code: 'INVALID_STATE',
  })
  const visited = many.reduce<Plan>((now, one) => withVisitor(now, one), plan)
  assert.equal(visited.visitors.length, MAX_VISITORS)
  assert.equal(visited.visitors.at(-1)!.participantId, `p${MAX_ASSIGNED - 1}`)
})

test('who may go to which room', () => {
  const goes = (of: Plan | undefined, id: string, moderates: boolean, roomId: string, tokenId?: string) =>
    refusalToGo(of, { ...person(id, tokenId), moderates }, roomId)?.code
  const table: [string | undefined, ReturnType<typeof goes>, string][] = [
    [undefined, goes(plan, 'ann', false, 'r1'), 'the own room'],
    ['INVALID_PERMISSIONS', goes(plan, 'ann', false, 'r2'), "another's room"],
    ['INVALID_PERMISSIONS', goes(plan, 'ann', false, 'r1', 'jti:stolen'), 'a known id with another token'],
    ['INVALID_PERMISSIONS', goes(plan, 'carl', false, 'r1'), 'who is assigned to none'],
    ['INVALID_PERMISSIONS', goes(plan, 'ann', false, 'r9'), 'a room that is not'],
    [undefined, goes(plan, 'carl', true, 'r2'), 'a moderator'],
    ['NOT_FOUND', goes(plan, 'carl', true, 'r9'), 'a moderator, to a room that is not'],
    ['INVALID_STATE', goes(closing, 'ann', false, 'r1'), 'who was called back'],
    ['INVALID_STATE', goes(undefined, 'carl', true, 'r1'), 'no rooms'],
  ]
  for (const [expected, found, what] of table) assert.equal(found, expected, what)
})

test('whom the door of a room lets in', () => {
  const visited = withVisitor(plan, person('carl'))
  const asks = (
    of: Plan | undefined,
    roomId: string,
    participantId: string,
    { givenFor = `jti:${participantId}`, keptOut = false } = {},
  ) =>
    refusalAtRoom({
      plan: of,
      roomId,
      participantId,
      wasGivenFor: (tokenId) => tokenId === givenFor,
      isKeptOut: () => keptOut,
    })?.code
  const table: [string | undefined, ReturnType<typeof asks>, string][] = [
    [undefined, asks(plan, 'r1', 'ann'), 'who is assigned'],
    [undefined, asks(closing, 'r1', 'ann'), 'who comes back while all are called'],
    [undefined, asks(visited, 'r2', 'carl'), 'a moderator who visits'],
    ['INVALID_PERMISSIONS', asks(plan, 'r2', 'ann'), 'a stranger to the room'],
    ['INVALID_PERMISSIONS', asks(plan, 'r1', 'carl'), 'a moderator who did not ask'],
    ['INVALID_PERMISSIONS', asks(plan, 'r1', 'ann', { givenFor: 'jti:bob' }), 'a forged id'],
    ['INVALID_PERMISSIONS', asks(undefined, 'r1', 'ann'), 'the rooms are closed'],
    ['INVALID_PERMISSIONS', asks({ ...plan, rooms: [] }, 'r1', 'ann'), 'a room of before'],
    ['REMOVED_FROM_SESSION', asks(plan, 'r1', 'ann', { keptOut: true }), 'who was removed'],
  ]
  for (const [expected, found, what] of table) assert.equal(found, expected, what)
})

test('a moderator is told of all rooms, the others of their own and of nobody', () => {
  const inside = new Map([['r2', [{ id: 'bob', name: 'BOB' }]]])
  const all = tellableOf(plan, { ...person('carl'), moderates: true }, inside, 21_000)
  assert.deepEqual(
    all.rooms.map(({ roomId, assigned, people: there }) => [roomId, assigned.length, there.length]),
    [
      ['r1', 1, 0],
      ['r2', 1, 1],
    ],
  )
  assert.deepEqual([all.ownRoomId, all.leftMs, all.closing], [null, 40_000, false])
  const own = tellableOf(plan, { ...person('bob'), moderates: false }, inside, 21_000)
  assert.deepEqual(own.rooms, [{ roomId: 'r2', name: 'Blue', assigned: [], people: [] }])
  assert.equal(own.ownRoomId, 'r2')
  assert.deepEqual(tellableOf(plan, { ...person('carl'), moderates: false }, inside, 0).rooms, [])
})

test('what is left is counted to the call, then to the end', () => {
  assert.equal(leftOf(plan, 1000), 60_000)
  assert.equal(leftOf(closing, 1000), 30_000)
  assert.equal(leftOf(closing, 99_000), 0)
  assert.equal(leftOf({ ...plan, endsAt: null }, 0), null)
})
