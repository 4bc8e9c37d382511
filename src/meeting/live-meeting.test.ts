/** One meeting with fake members, a fake SFU and a real store: the life of a session, admission, removals, relays. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { ErrorName } from '../protocol/errors.ts'
import type { MeetingRecord } from '../store/store.ts'
import type { Events } from './events.ts'
import type { LiveMeeting } from './live-meeting.ts'
import type { MeetingEvents } from './meeting-events.ts'
import type { MeetingSettings } from './settings.ts'
import { createFakeSfu } from '../media/fake/sfu.ts'
import { Refusal } from '../protocol/errors.ts'
import { leaveReason } from '../protocol/leave-reasons.ts'
import { comes, grantOf, joins, LiveMeetingBench, PROJECT } from '../../test/support/live-meetings.ts'

let bench: LiveMeetingBench
before(async () => {
  bench = await LiveMeetingBench.open()
})
after(() => bench.close())

let meeting: MeetingRecord
let live: LiveMeeting
let events: Events<MeetingEvents>
let told: string[]
let isIdle: () => boolean

async function open(changes?: Partial<MeetingSettings>): Promise<void> {
  ;({ live, events, told, isIdle } = await bench.openMeeting(meeting, createFakeSfu(), changes))
}

beforeEach(async () => {
  meeting = await bench.createMeeting()
  await open()
})
afterEach(async () => {
  await live.suspend()
  assert.deepEqual(bench.errors, [])
})

const refused =
  (code: ErrorName) =>
  (error: unknown): boolean =>
    error instanceof Refusal && error.code === code

test('a guest waits until an admitter answers, and the first answer counts', async () => {
  const ann = await joins(live, 'ann')
  const guest = comes(live, 'guest', grantOf('ask'))
  assert.equal(await guest.state, 'waiting')
  assert.ok(ann.link.methods().includes('entryRequested'))
  await live.entrance.respond(ann.self, 'guest', 'allowed')
  assert.equal(guest.participant().id, 'guest')
  await assert.rejects(live.entrance.respond(ann.self, 'guest', 'denied'), refused('RESPOND_ENTRY_FAILED'))
  assert.equal(guest.link.closed, undefined)
})

test('a guest cannot admit, moderate or end', async () => {
  const ann = await joins(live, 'ann')
  const guest = comes(live, 'guest', grantOf('ask'))
  await guest.state
  await live.entrance.respond(ann.self, 'guest', 'allowed')
  const self = guest.participant()
  await live.roster.join(self, {})
  const second = comes(live, 'second', grantOf('ask'))
  await second.state
  await assert.rejects(live.entrance.respond(self, 'second', 'allowed'), refused('INVALID_PERMISSIONS'))
  await assert.rejects(live.moderation.stopStream(self, 'ann', 'audio'), refused('INVALID_PERMISSIONS'))
  await assert.rejects(live.moderation.askForStream(self, 'ann', 'video'), refused('INVALID_PERMISSIONS'))
  await assert.rejects(live.evictions.remove(self, 'ann'), refused('INVALID_PERMISSIONS'))
  await assert.rejects(live.evictions.lift(self, 'ann'), refused('INVALID_PERMISSIONS'))
  await assert.rejects(live.endForAll(self), refused('INVALID_PERMISSIONS'))
  assert.throws(() => live.moderation.pin(self, 'ann', { cam: true }), refused('INVALID_PERMISSIONS'))
  assert.equal(live.entrance.waiting, 1)
})

test('participants are told of a join after it happened, and of every leave', async () => {
  const ann = await joins(live, 'ann')
  const ben = comes(live, 'ben')
  await ben.state
  assert.ok(!ann.link.methods().includes('newPeer'))
  const { reply } = await live.roster.join(ben.participant(), {})
  assert.deepEqual(
    reply.peers.map((peer) => peer.id),
    ['ann'],
  )
  assert.ok(ann.link.methods().includes('newPeer'))
  live.roster.leave(ben.participant(), leaveReason('MANUAL_LEAVE_CALLED'))
  live.roster.leave(ben.participant(), leaveReason('MANUAL_LEAVE_CALLED'))
  assert.equal(ann.link.methods().filter((method) => method === 'peerClosed').length, 1)
})

test('a join can be cancelled in the moment it happens', async () => {
  const ben = comes(live, 'ben')
  await ben.state
  const gone = new Refusal('INVALID_STATE')
  await assert.rejects(
    live.roster.join(ben.participant(), {}, () => {
      throw gone
    }),
    gone,
  )
  assert.deepEqual(live.view().participants, [])
})

test('a participant removed while its join is saved does not join', async () => {
  const ann = await joins(live, 'ann', grantOf('moderator'))
  const ben = comes(live, 'ben')
  await ben.state
  const joining = live.roster.join(ben.participant(), {})
  live.roster.evict(ben.participant(), leaveReason('REMOVE_PEER'))
  await assert.rejects(joining, refused('INVALID_STATE'))
  assert.ok(!ann.link.methods().includes('newPeer'))
})

test('a removed participant cannot come back by id or token until the removal is lifted', async () => {
  const mod = await joins(live, 'mod', grantOf('moderator'))
  const ben = await joins(live, 'ben')
  await live.evictions.remove(mod.self, 'ben')
  assert.equal(ben.link.closed, leaveReason('REMOVE_PEER').message)
  await assert.rejects(comes(live, 'ben').state, refused('REMOVED_FROM_SESSION'))
  await assert.rejects(comes(live, 'other', ben.grant).state, refused('REMOVED_FROM_SESSION'))
  assert.deepEqual(
    live.evictions.list().map(({ participantId }) => participantId),
    ['ben'],
  )
  await live.evictions.lift(mod.self, 'ben')
  assert.equal(await comes(live, 'ben', ben.grant).state, 'admitted')
})

test('of two participants who remove each other at once, one stays', async () => {
  const [ann, ben] = [
    await joins(live, 'ann', grantOf('moderator')),
    await joins(live, 'ben', grantOf('moderator')),
  ]
  const [first, second] = await Promise.allSettled([
    live.evictions.remove(ann.self, 'ben'),
    live.evictions.remove(ben.self, 'ann'),
  ])
  assert.deepEqual([first.status, second.status], ['fulfilled', 'rejected'])
  assert.deepEqual(
    live.view().participants.map(({ participantId }) => participantId),
    ['ann'],
  )
})

test('revoking a key evicts its holders inside and in the lobby, and nobody else', async () => {
  const [ann, ben] = [
    await joins(live, 'ann'),
    await joins(live, 'ben', { ...grantOf('direct'), apiKey: 'other' }),
  ]
  const guest = comes(live, 'guest', grantOf('ask'))
  await guest.state
  const refusal = new Refusal('APIKEY_DEACTIVATED')
  assert.equal(live.evictions.evictByCredential({ projectId: 'b'.repeat(24), apiKey: 'key' }, refusal), 0)
  assert.equal(live.evictions.evictByCredential({ projectId: PROJECT, apiKey: 'key' }, refusal), 2)
  assert.deepEqual(
    [ann.link.closed, guest.link.closed, ben.link.closed],
    ['APIKEY_DEACTIVATED', 'APIKEY_DEACTIVATED', undefined],
  )
})

test('a dead connection loses its participant id, a live one does not', async () => {
  const ann = await joins(live, 'ann')
  await assert.rejects(comes(live, 'ann', grantOf('ask')).state, refused('DUPLICATE_PARTICIPANT'))
  ann.link.isAlive = false
  assert.equal(await comes(live, 'ann', grantOf('ask')).state, 'waiting')
  assert.ok(ann.link.dropped)
})

test('a full meeting refuses direct joins, and lets guests wait', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await joins(live, name)
  await assert.rejects(comes(live, 'e').state, refused('MAX_PARTCIPANT_REACHED'))
  const guest = comes(live, 'guest', grantOf('ask'))
  assert.equal(await guest.state, 'waiting')
  await assert.rejects(live.entrance.respond('server', 'guest', 'allowed'), refused('MAX_PARTCIPANT_REACHED'))
})

test('the start and end of a session are announced once, and the meeting is idle afterwards', async () => {
  await joins(live, 'ann')
  await joins(live, 'ben')
  await live.end('REMOVE_ALL')
  await live.end('REMOVE_ALL')
  assert.deepEqual(told, [
    'sessionStarted',
    'participantJoined',
    'participantJoined',
    'participantLeft',
    'participantLeft',
    'sessionEnded',
  ])
  assert.ok(isIdle())
  assert.equal(live.sessionId, undefined)
})

test('an empty session ends after the grace period', async () => {
  await live.suspend()
  await open({ sessionGraceMs: 20, joinTimeoutMs: 20 })
  const ann = await joins(live, 'ann')
  assert.ok(live.sessionId)
  const over = new Promise<void>((resolve) => events.on('sessionEnded', () => resolve()))
  live.roster.leave(ann.self, leaveReason('MANUAL_LEAVE_CALLED'))
  await over
})

test('a server that stops leaves the session, its removals and admissions to the next one', async () => {
  const mod = await joins(live, 'mod', grantOf('moderator'))
  await joins(live, 'ben')
  const guest = comes(live, 'guest', grantOf('ask'))
  await guest.state
  await live.entrance.respond(mod.self, 'guest', 'allowed')
  await live.evictions.remove(mod.self, 'ben')
  const { sessionId } = live
  await live.suspend()
  assert.ok(mod.link.dropped)
  await assert.rejects(comes(live, 'late').state, refused('SERVER_STOPPING'))

  await open()
  assert.equal(live.sessionId, sessionId)
  assert.ok(live.knows('mod', mod.grant.tokenId))
  await assert.rejects(comes(live, 'ben').state, refused('REMOVED_FROM_SESSION'))
  assert.equal(await comes(live, 'guest', guest.grant).state, 'admitted')
  // Clients that were disconnected with the server still show the participants of that time.
  const back = await joins(live, 'mod', mod.grant)
  assert.ok(back.link.methods().includes('peerClosed'))
})

test('deactivating a meeting ends its session, and nobody can join', async () => {
  const ann = await joins(live, 'ann')
  await live.deactivate({ ...meeting, disabledAt: 2 })
  assert.equal(ann.link.closed, leaveReason('ROOM_CLOSE').message)
  await assert.rejects(comes(live, 'ben').state, refused('MEETING_ID_DISABLED'))
})

test('a relayed guest is announced after its stay is saved, and leaves with its source', async () => {
  const admitter = await joins(live, 'ann')
  const source = (await joins(live, 'far')).self
  live.roster.leave(source, leaveReason('MANUAL_LEAVE_CALLED'))
  source.joined = true
  const request = {
    source,
    sourceMeetingId: 'elsewhere',
    grant: grantOf('direct'),
    kinds: new Set(['video' as const]),
  }
  live.relays.request(request)
  assert.ok(admitter.link.methods().includes('mediaRelayRequestReceived'))
  const before = admitter.link.heard.length
  const answered = live.relays.respond(admitter.self, {
    meetingId: 'elsewhere',
    peerId: 'far',
    decision: 'allowed',
  })
  assert.equal(admitter.link.heard.length, before)
  await answered
  assert.ok(live.view().participants.some(({ participantId }) => participantId === 'far'))
  for (const listener of [...source.producerListeners]) listener.ended()
  assert.ok(!live.view().participants.some(({ participantId }) => participantId === 'far'))
})

test('a relay is denied if its source left before the consent', async () => {
  const admitter = await joins(live, 'ann')
  const far = await joins(live, 'far')
  const source = far.self
  live.roster.leave(source, leaveReason('MANUAL_LEAVE_CALLED'))
  source.joined = true
  live.relays.request({
    source,
    sourceMeetingId: 'elsewhere',
    grant: grantOf('direct'),
    kinds: new Set(['video' as const]),
  })
  const answered = live.relays.respond(admitter.self, {
    meetingId: 'elsewhere',
    peerId: 'far',
    decision: 'allowed',
  })
  source.joined = false
  await assert.rejects(answered, refused('INVALID_STATE'))
  assert.ok(!live.roster.has('far'))
  assert.deepEqual(
    far.link.heard.flatMap((one) => (one.method === 'mediaRelayRequestResponse' ? [one.decision] : [])),
    ['denied'],
  )
})
