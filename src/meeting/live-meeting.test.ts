/** One meeting with fake members and a fake SFU, over a real store: the life of a session, the door, removals, relays. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { createFakeSfu } from '../media/fake/sfu.ts'
import type { Notification } from '../protocol/notifications.ts'
import type { ErrorName } from '../protocol/errors.ts'
import { Refusal } from '../protocol/errors.ts'
import { leaveReason } from '../protocol/leave-reasons.ts'
import { openStore } from '../store/open.ts'
import type { MeetingRecord, Store } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { Audience, Link } from './link.ts'
import type { Participant } from './roster/participant.ts'
import { Events } from './events.ts'
import { LiveMeeting } from './live-meeting.ts'
import type { MeetingEvents } from './meeting-events.ts'

const PROJECT = 'a'.repeat(24)
const settings = {
  moderation: 'grant' as const,
  lobbyTimeoutMs: 60_000,
  sessionGraceMs: 60_000,
  joinTimeoutMs: 60_000,
  maxParticipants: 4,
  maxEntryRequests: 4,
  maxProducers: 4,
  maxStoreKeys: 8,
  maxFileBytes: 100,
  maxSessionFileBytes: 1000,
  maxChatMessageBytes: 1000,
  maxChatTopics: 8,
  maxChatSubscriptions: 8,
  maxSessionChatBytes: 100_000,
}

/** What one connection heard, in order. */
class FakeLink implements Link {
  readonly connectionId: string
  readonly resetsMedia = true
  readonly heard: Notification[] = []
  closed: string | undefined
  dropped = false
  isAlive = true

  constructor(connectionId: string) {
    this.connectionId = connectionId
  }
  notify(...notifications: Notification[]): void {
    this.heard.push(...notifications)
  }
  request(): Promise<boolean> {
    return Promise.resolve(true)
  }
  answers(): Promise<boolean> {
    return Promise.resolve(this.isAlive)
  }
  close(reason: { message: string }, refusal?: Refusal): void {
    this.closed = refusal?.code ?? reason.message
  }
  drop(): void {
    this.dropped = true
  }
  methods(): string[] {
    return this.heard.map(({ method }) => method)
  }
}

function openAudience(): Audience {
  const links = new Set<Link>()
  return {
    add: (link) => links.add(link),
    remove: (link) => links.delete(link),
    notify: (notification, except) => {
      for (const link of links) if (link !== except) link.notify(notification)
    },
  }
}

let folder: string
let store: Store
let number = 0
/** 24 hex digits, as the ids of sessions are. */
const id = (): string => (++number).toString(16).padStart(24, '0')

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-test-'))
  store = await openStore({ folder: join(folder, 'data') })
  await store.projects.create({ projectId: PROJECT, name: 'test', webhook: null, createdAt: 1 })
})
after(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

let meeting: MeetingRecord
let live: LiveMeeting
let errors: unknown[]
let told: string[]
let idle: number
let events: Events<MeetingEvents>

beforeEach(async () => {
  meeting = {
    id: id(),
    meetingId: id(),
    projectId: PROJECT,
    customId: null,
    settings: {},
    disabledAt: null,
    createdAt: 1,
    updatedAt: 1,
  }
  await store.meetings.create(meeting)
  errors = []
  told = []
  idle = 0
  live = await open()
})
afterEach(() => {
  live.suspend()
  assert.deepEqual(errors, [])
})

function open(changes: Partial<typeof settings> = {}): Promise<LiveMeeting> {
  events = new Events<MeetingEvents>((error) => errors.push(error))
  for (const name of ['sessionStarted', 'sessionEnded', 'participantJoined', 'participantLeft'] as const)
    events.on(name, () => told.push(name))
  return LiveMeeting.open({
    meeting,
    settings: { ...settings, ...changes },
    store,
    sfu: createFakeSfu(),
    openAudience,
    events,
    announce: () => [],
    refusalSince: () => undefined,
    lastAliveAt: undefined,
    now: () => Date.now(),
    newSessionId: id,
    newSecretId: id,
    onError: (error) => errors.push(error),
    onIdle: () => idle++,
  })
}

function grantOf(entry: NonNullable<Grant['entry']>, tokenId = id()): Grant {
  return { apiKey: 'key', projectId: PROJECT, entry, permissions: [], tokenId }
}

interface Newcomer {
  link: FakeLink
  grant: Grant
  state: Promise<'waiting' | 'admitted'>
  /** Once it was let in. */
  participant: () => Participant
}

function comes(participantId: string, grant: Grant = grantOf('direct'), into = live): Newcomer {
  const link = new FakeLink(id())
  let participant: Participant | undefined
  const state = into.entrance.requestEntry({
    grant,
    participantId,
    name: participantId,
    link,
    admitted: (admitted) => (participant = admitted),
  })
  return { link, grant, state, participant: () => participant! }
}

async function joins(
  participantId: string,
  grant?: Grant,
  into = live,
): Promise<Newcomer & { self: Participant }> {
  const newcomer = comes(participantId, grant, into)
  assert.equal(await newcomer.state, 'admitted')
  const self = newcomer.participant()
  const { afterReply } = await into.roster.join(self, {})
  afterReply()
  return { ...newcomer, self }
}

const refused =
  (code: ErrorName) =>
  (error: unknown): boolean =>
    error instanceof Refusal && error.code === code

test('a guest waits until an admitter lets it in; the first answer counts', async () => {
  const ann = await joins('ann')
  const guest = comes('guest', grantOf('ask'))
  assert.equal(await guest.state, 'waiting')
  assert.ok(ann.link.methods().includes('entryRequested'))
  await live.entrance.respond(ann.self, 'guest', 'allowed')
  assert.equal(guest.participant().id, 'guest')
  await assert.rejects(live.entrance.respond(ann.self, 'guest', 'denied'), refused('RESPOND_ENTRY_FAILED'))
  assert.equal(guest.link.closed, undefined)
})

test('a guest lets nobody in, moderates nobody and ends nothing', async () => {
  const ann = await joins('ann')
  const guest = comes('guest', grantOf('ask'))
  await guest.state
  await live.entrance.respond(ann.self, 'guest', 'allowed')
  const self = guest.participant()
  await live.roster.join(self, {})
  const second = comes('second', grantOf('ask'))
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

test('nobody hears of a participant before its join, and everybody of its leave', async () => {
  const ann = await joins('ann')
  const ben = comes('ben')
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

test('a join is called off in the instant of the join', async () => {
  const ben = comes('ben')
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

test('one who is put out while its join is written does not come in', async () => {
  const ann = await joins('ann', grantOf('moderator'))
  const ben = comes('ben')
  await ben.state
  const joining = live.roster.join(ben.participant(), {})
  live.roster.evict(ben.participant(), leaveReason('REMOVE_PEER'))
  await assert.rejects(joining, refused('INVALID_STATE'))
  assert.ok(!ann.link.methods().includes('newPeer'))
})

test('a removed participant does not come back, by its id or by its token, until it is lifted', async () => {
  const mod = await joins('mod', grantOf('moderator'))
  const ben = await joins('ben')
  await live.evictions.remove(mod.self, 'ben')
  assert.equal(ben.link.closed, leaveReason('REMOVE_PEER').message)
  await assert.rejects(comes('ben').state, refused('REMOVED_FROM_SESSION'))
  await assert.rejects(comes('other', ben.grant).state, refused('REMOVED_FROM_SESSION'))
  assert.deepEqual(
    live.removals.map(({ participantId }) => participantId),
    ['ben'],
  )
  await live.evictions.lift(mod.self, 'ben')
  assert.equal(await comes('ben', ben.grant).state, 'admitted')
})

test('two who remove each other at once: one of them stays', async () => {
  const [ann, ben] = [await joins('ann', grantOf('moderator')), await joins('ben', grantOf('moderator'))]
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

test('a revoked key puts out those inside and those who wait, and nobody of another key', async () => {
  const [ann, ben] = [await joins('ann'), await joins('ben', { ...grantOf('direct'), apiKey: 'other' })]
  const guest = comes('guest', grantOf('ask'))
  await guest.state
  const refusal = new Refusal('APIKEY_DEACTIVATED')
  assert.equal(live.evictByCredential({ projectId: 'b'.repeat(24), apiKey: 'key' }, refusal), 0)
  assert.equal(live.evictByCredential({ projectId: PROJECT, apiKey: 'key' }, refusal), 2)
  assert.deepEqual(
    [ann.link.closed, guest.link.closed, ben.link.closed],
    ['APIKEY_DEACTIVATED', 'APIKEY_DEACTIVATED', undefined],
  )
})

test('a dead connection gives its participant id away, a live one does not', async () => {
  const ann = await joins('ann')
  await assert.rejects(comes('ann', grantOf('ask')).state, refused('DUPLICATE_PARTICIPANT'))
  ann.link.isAlive = false
  assert.equal(await comes('ann', grantOf('ask')).state, 'waiting')
  assert.ok(ann.link.dropped)
})

test('a full meeting refuses those who may join, and lets guests wait', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await joins(name)
  await assert.rejects(comes('e').state, refused('MAX_PARTCIPANT_REACHED'))
  const guest = comes('guest', grantOf('ask'))
  assert.equal(await guest.state, 'waiting')
  await assert.rejects(live.entrance.respond('server', 'guest', 'allowed'), refused('MAX_PARTCIPANT_REACHED'))
})

test('a session is told once when it begins and once when it ends, and the meeting is idle after it', async () => {
  await joins('ann')
  await joins('ben')
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
  assert.ok(idle > 0)
  assert.equal(live.sessionId, undefined)
})

test('a session that nobody is in ends after the grace period', async () => {
  live.suspend()
  live = await open({ sessionGraceMs: 20, joinTimeoutMs: 20 })
  const ann = await joins('ann')
  assert.ok(live.sessionId)
  const over = new Promise<void>((resolve) => events.on('sessionEnded', () => resolve()))
  live.roster.leave(ann.self, leaveReason('MANUAL_LEAVE_CALLED'))
  await over
})

test('a stopped server leaves the session, its removals and admissions to the next', async () => {
  const mod = await joins('mod', grantOf('moderator'))
  await joins('ben')
  const guest = comes('guest', grantOf('ask'))
  await guest.state
  await live.entrance.respond(mod.self, 'guest', 'allowed')
  await live.evictions.remove(mod.self, 'ben')
  const { sessionId } = live
  live.suspend()
  assert.ok(mod.link.dropped)
  await assert.rejects(comes('late').state, refused('SERVER_STOPPING'))

  live = await open()
  assert.equal(live.sessionId, sessionId)
  assert.ok(live.knows('mod', mod.grant.tokenId))
  await assert.rejects(comes('ben').state, refused('REMOVED_FROM_SESSION'))
  assert.equal(await comes('guest', guest.grant).state, 'admitted')
  // Clients that were cut off with the server still show those who were there.
  const back = await joins('mod', mod.grant)
  assert.ok(back.link.methods().includes('peerClosed'))
})

test('a deactivated meeting ends its session and lets nobody in', async () => {
  const ann = await joins('ann')
  await live.deactivate({ ...meeting, disabledAt: 2 })
  assert.equal(ann.link.closed, leaveReason('ROOM_CLOSE').message)
  await assert.rejects(comes('ben').state, refused('MEETING_ID_DISABLED'))
})

test('a relayed guest is told to nobody before its stay is written, and goes with its source', async () => {
  const admitter = await joins('ann')
  const source = (await joins('far')).self
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
  for (const mirror of [...source.mirrors]) mirror.ended()
  assert.ok(!live.view().participants.some(({ participantId }) => participantId === 'far'))
})

test('a relay whose source left while it was consented to is denied', async () => {
  const admitter = await joins('ann')
  const far = await joins('far')
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
