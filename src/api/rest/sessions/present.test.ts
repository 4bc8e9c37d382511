import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceOf, inFull, toSession } from './present.ts'
import type { StayRecord } from '../../../store/store.ts'

const SESSION = {
  sessionId: 's1',
  meetingId: 'm1',
  projectId: 'p1',
  startedAt: 1000,
  endedAt: null,
  endReason: null,
}

function stay(participantId: string, joinedAt: number, leftAt: number | null): StayRecord {
  return {
    sessionId: 's1',
    participantId,
    name: `${participantId} at ${joinedAt}`,
    joinedAt,
    leftAt,
    leaveReason: null,
    device: null,
    tokenId: null,
    apiKey: null,
  }
}

const occupied: [what: string, stays: StayRecord[], seconds: number][] = [
  ['nobody', [], 0],
  ['one who left', [stay('a', 1000, 4000)], 3],
  ['one who is still there', [stay('a', 1000, null)], 9],
  ['two at once, counted once', [stay('a', 1000, 5000), stay('b', 2000, 6000)], 5],
  ['one within the time of another', [stay('a', 1000, 6000), stay('b', 2000, 3000)], 5],
  ['a gap, not counted', [stay('a', 1000, 2000), stay('a', 5000, 6000)], 2],
]
for (const [what, stays, seconds] of occupied) {
  test(`active duration: ${what}`, () => {
    const session = toSession(SESSION, undefined, stays, 'http://here', 10_000)
    assert.equal(session.activeDuration, seconds)
    assert.equal(session.status, 'ongoing')
  })
}

test('a participant who came twice is one, under the latest name', () => {
  const stays = [stay('a', 1000, 2000), stay('b', 1500, null), stay('a', 5000, null)]
  const { participants } = toSession(SESSION, undefined, stays, 'http://here', 10_000)
  assert.deepEqual(
    participants.map(({ name, timelog }) => [name, timelog.length]),
    [
      ['a at 5000', 2],
      ['b at 1500', 1],
    ],
  )
})

test('uses the last mode, and finds streams by their events', () => {
  const interval = (kind: 'mode' | 'audio', value: string, startedAt: number) => ({
    sessionId: 's1',
    participantId: 'a',
    kind,
    value,
    startedAt,
    endedAt: null,
  })
  const whole = inFull(
    [stay('a', 1000, null)],
    [
      interval('mode', 'SEND_AND_RECV', 1000),
      interval('audio', '', 1200),
      interval('mode', 'RECV_ONLY', 1500),
    ],
  )
  assert.equal(whole.mode, 'RECV_ONLY')
  assert.deepEqual(
    [whole.events.mic.length, whole.events.webcam.length, whole.changeModeHistory.length],
    [1, 0, 2],
  )
})

test('the answer has its shape whatever a client reported about its device', () => {
  const nothing = {
    deviceInfo: { deviceName: '', deviceVersion: '' },
    sdkInfo: { sdkName: '', sdkVersion: '' },
  }
  for (const device of [
    null,
    {},
    { browserUserAgent: 7, sdkType: [] },
    { browserUserAgent: { browser: null } },
  ])
    assert.deepEqual(deviceOf(device), nothing)
  const said = {
    browserUserAgent: { browser: { name: 'Firefox', version: '140' } },
    sdkType: 'js',
    sdkVersion: '1',
  }
  assert.deepEqual(deviceOf(said), {
    deviceInfo: { deviceName: 'Firefox', deviceVersion: '140' },
    sdkInfo: { sdkName: 'js', sdkVersion: '1' },
  })
})
