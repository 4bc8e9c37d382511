import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meetingOf, sessionOf } from './rows.ts'

const PROJECT = 'a'.repeat(24)
const ID = 'b'.repeat(24)
const room = (row: unknown) => meetingOf(row, { projectId: PROJECT, now: 7, newId: () => 'c'.repeat(24) })
const session = (row: unknown, participants: unknown[] = []) =>
  sessionOf(row, participants, { meetingId: 'abcd-efgh-ijkl', projectId: PROJECT })

test('does not import a room that could not be found again by its id', () => {
  for (const row of [
    undefined,
    null,
    'abcd-efgh-ijkl',
    {},
    { roomId: 7 },
    { roomId: 'abcd' },
    { roomId: 'ABCD-efgh-ijkl' },
  ])
    assert.ok('why' in room(row), JSON.stringify(row))
})

test('a room keeps its ids, settings and dates', () => {
  const webhook = { endPoint: 'https://app.example/hook', events: ['session-*'] }
  assert.deepEqual(
    room({
      id: ID,
      roomId: 'abcd-efgh-ijkl',
      customRoomId: 'team-weekly',
      disabled: true,
      webhook,
      autoCloseConfig: { type: 'session-ends', duration: 60 },
      geoFence: 'eu',
      createdAt: '1970-01-01T00:00:01.000Z',
      updatedAt: '1970-01-01T00:00:02.000Z',
      links: { get_room: 'https://elsewhere' },
    }),
    {
      record: {
        id: ID,
        meetingId: 'abcd-efgh-ijkl',
        projectId: PROJECT,
        customId: 'team-weekly',
        settings: { webhook, autoCloseConfig: { type: 'session-ends', duration: 60 }, geoFence: 'eu' },
        disabledAt: 2000,
        createdAt: 1000,
        updatedAt: 2000,
      },
      leftOut: [],
    },
  )
})

test('imports a room without the settings that our rules refuse, and names them', () => {
  const outcome = room({
    roomId: 'abcd-efgh-ijkl',
    customRoomId: '..',
    webhook: { endPoint: 'ftp://x', events: [] },
    autoCloseConfig: { duration: 5 },
    allowedParticipantIds: ['with space'],
  })
  assert.ok('record' in outcome)
  assert.deepEqual(
    outcome.leftOut.map((text) => text.split(' ')[0]),
    ['customRoomId', 'webhook', 'autoCloseConfig', 'allowedParticipantIds'],
  )
  const { customId, settings, createdAt, id } = outcome.record
  assert.deepEqual([customId, settings, createdAt, id], [null, {}, 7, 'c'.repeat(24)])
})

test('drops a custom id that repeats the id of the room', () => {
  const outcome = room({ roomId: 'abcd-efgh-ijkl', customRoomId: 'abcd-efgh-ijkl' })
  assert.ok('record' in outcome)
  assert.equal(outcome.record.customId, null)
  assert.deepEqual(outcome.leftOut, [])
})

const START = '1970-01-01T00:00:10.000Z'
const END = '1970-01-01T00:00:20.000Z'

test('does not import a session that is ongoing or has impossible dates', () => {
  for (const [row, why] of [
    [{}, /not a session/],
    [{ id: 'x', start: START, end: END }, /24 hex/],
    [{ id: ID, start: 'soon', end: END }, /start/],
    [{ id: ID, start: START, end: null }, /not ended/],
    [{ id: ID, start: START }, /not ended/],
    [{ id: ID, start: END, end: START }, /before/],
  ] as const) {
    const outcome = session(row)
    assert.ok('why' in outcome)
    assert.match(outcome.why, why)
  }
})

test('stays and intervals are imported in order; unclosed ones end with the session', () => {
  const outcome = session({ id: ID, start: START, end: END, endReason: 'ROOM_CLOSE' }, [
    {
      participantId: 'ann',
      name: 'Ann',
      timelog: [
        { start: '1970-01-01T00:00:15.000Z', end: null },
        {
          start: '1970-01-01T00:00:11.000Z',
          end: '1970-01-01T00:00:12.000Z',
          leaveReason: 'MANUAL_LEAVE_CALLED',
        },
        { start: 'never' },
      ],
      events: { mic: [{ start: '1970-01-01T00:00:16.000Z' }], webcam: 'no list' },
      changeModeHistory: [
        { mode: 'CONFERENCE', timelog: [{ start: '1970-01-01T00:00:11.000Z', end: END }] },
        { mode: 'DANCING', timelog: [{ start: START, end: END }] },
      ],
      deviceInfo: { sdkType: 'js' },
    },
    { name: 'nobody' },
  ])
  assert.ok('record' in outcome)
  const { session: record, stays, intervals } = outcome.record
  assert.deepEqual([record.startedAt, record.endedAt, record.endReason], [10_000, 20_000, 'ROOM_CLOSE'])
  assert.deepEqual(
    stays.map(({ joinedAt, leftAt, leaveReason, name }) => [joinedAt, leftAt, leaveReason, name]),
    [
      [11_000, 12_000, 'MANUAL_LEAVE_CALLED', 'Ann'],
      [15_000, 20_000, null, 'Ann'],
    ],
  )
  assert.deepEqual(
    intervals.map(({ kind, value, startedAt, endedAt }) => [kind, value, startedAt, endedAt]),
    [
      ['audio', '', 16_000, 20_000],
      ['mode', 'SEND_AND_RECV', 11_000, 20_000],
    ],
  )
  assert.equal(outcome.leftOut.length, 1)
})
