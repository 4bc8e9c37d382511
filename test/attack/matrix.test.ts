/**
 * Sends every message of the protocol in every state of a connection with every kind of grant over a real socket. The
 * expected results are data, and a message without a row is a failure.
 */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { OutputOrdered } from '../../src/meeting/outputs/orders.ts'
import type { OutputKind } from '../../src/store/store.ts'
import { after, before, test } from 'node:test'
import { sampleDtlsParameters, sampleRtpParameters } from '../support/rtp-samples.ts'
import {
  absentServices,
  isAlwaysAnswered,
  requests,
  type ConnectionState,
  type RequestMethod,
} from '../../src/protocol/requests.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { signAnything, TestServer } from '../support/test-server.ts'
import { WireError, type WireClient } from '../support/wire-client.ts'

type State = Exclude<ConnectionState, 'gone'>
type Right = 'admit' | 'moderate'

interface GrantKind {
  name: string
  permissions: string[]
  /** Whether it must ask to join; the host admits it. */
  asks?: true
  rights: Right[]
  pinned?: true
  /** What happened to the token after the connections were in their states. */
  since?: 'revoked' | 'expired'
}

const grantKinds: GrantKind[] = [
  { name: 'direct', permissions: ['allow_join'], rights: ['admit'] },
  { name: 'moderator', permissions: ['allow_join', 'allow_mod'], rights: ['admit', 'moderate'] },
  { name: 'guest', permissions: ['ask_join'], asks: true, rights: [] },
  { name: 'pinned', permissions: ['allow_join'], rights: ['admit'], pinned: true },
  ...(['revoked', 'expired'] as const).flatMap((since): GrantKind[] => [
    { name: `direct, ${since} since`, permissions: ['allow_join'], rights: ['admit'], since },
    { name: `moderator, ${since} since`, permissions: ['allow_mod'], rights: ['admit', 'moderate'], since },
    { name: `guest, ${since} since`, permissions: ['ask_join'], asks: true, rights: [], since },
  ]),
]

/** The meeting around the tested connection. */
interface Scene {
  kind: GrantKind
  meetingId: string
  elsewhere: string
  /** A moderator. */
  host: WireClient
  /** A participant who sends every kind of stream. */
  bob: WireClient
  /** The target of moderation. */
  carl: WireClient
  /** A participant of the other meeting. */
  asker: WireClient
  token: string
}

interface Row {
  from: 'anywhere' | 'arrived' | 'let in' | 'inside'
  needs?: Right
  /** Valid data, with which the request would succeed. */
  data: (scene: Scene, self: WireClient) => unknown
  /** The request changes the state, so it gets a connection of its own. */
  alone?: true
}

const statesFrom: Record<Row['from'], readonly State[]> = {
  anywhere: ['arrived', 'waiting', 'admitted', 'inside'],
  arrived: ['arrived'],
  'let in': ['admitted', 'inside'],
  inside: ['inside'],
}

const heardOf = async (self: WireClient, kind: string): Promise<{ consumerId: string }> => ({
  consumerId: String((await self.hears('request:newConsumer', (heard) => heard.kind === kind)).id),
})
const ownProducer = async (_scene: Scene, self: WireClient): Promise<{ producerId: string }> => {
  if (self.transports.send === '') return { producerId: 'none' }
  const { id } = await produce(self, 'audio').catch(() => ({ id: 'none' }))
  return { producerId: id }
}
const consumerOf = (kind: 'audio' | 'video') => async (_scene: Scene, self: WireClient) =>
  self.heard.some(({ method }) => method === 'request:newConsumer')
    ? heardOf(self, kind)
    : { consumerId: 'none' }
const onCarl = (): unknown => ({ peerId: 'carl' })
const onBob = (): unknown => ({ peerId: 'bob' })
const transportId = (_scene: Scene, self: WireClient): unknown => ({
  transportId: self.transports.send || 'none',
})
const nothing = (): unknown => ({})
const elsewhere = ({ elsewhere: meetingId }: Scene): unknown => ({ meetingId, secret: outsider() })
const relayed = async (scene: Scene, self: WireClient): Promise<unknown> => {
  await relay(scene, self)
  return { meetingId: scene.elsewhere }
}
const relayedKind = async (scene: Scene, self: WireClient): Promise<unknown> => {
  await relay(scene, self)
  return { meetingId: scene.elsewhere, kind: 'audio' }
}

/** The type makes a missing message a compile error; the first test makes it a failure. */
const table: Record<RequestMethod, Row> = {
  requestEntry: { from: 'arrived', data: () => ({ name: 'Self' }), alone: true },
  definePeerLeftReason: { from: 'anywhere', data: () => ({ leaveReason: 'MANUAL_LEAVE_CALLED' }) },
  ping: { from: 'anywhere', data: nothing },
  leave: { from: 'anywhere', data: nothing, alone: true },

  getRouterRtpCapabilities: { from: 'let in', data: nothing },
  createWebRtcTransport: { from: 'let in', data: () => ({ producing: true, consuming: false }), alone: true },
  connectWebRtcTransport: {
    from: 'let in',
    data: (_scene, self) => ({
      transportId: self.transports.send || 'none',
      dtlsParameters: sampleDtlsParameters(),
    }),
  },
  restartIce: { from: 'let in', data: transportId },
  iceRestarted: { from: 'let in', data: transportId },
  join: { from: 'let in', data: nothing, alone: true },

  produce: {
    from: 'inside',
    data: (_scene, self) => ({
      transportId: self.transports.send || 'none',
      kind: 'audio',
      rtpParameters: sampleRtpParameters('audio', { layers: 1 }),
    }),
  },
  closeProducer: { from: 'inside', data: ownProducer },
  pauseProducer: { from: 'inside', data: ownProducer },
  resumeProducer: { from: 'inside', data: ownProducer },
  produceError: { from: 'inside', data: () => ({ mediaType: 'audio' }) },
  produceData: {
    from: 'inside',
    data: (_scene, self) => ({
      transportId: self.transports.send || 'none',
      sctpStreamParameters: { streamId: 0, ordered: true },
      label: 'self',
    }),
  },
  pauseConsumer: { from: 'inside', data: consumerOf('audio') },
  resumeConsumer: { from: 'inside', data: consumerOf('audio') },
  setConsumerPreferredLayers: {
    from: 'inside',
    data: async (scene, self) => ({ ...(await consumerOf('video')(scene, self)), spatialLayer: 0 }),
  },
  setConsumerPriority: {
    from: 'inside',
    data: async (scene, self) => ({ ...(await consumerOf('video')(scene, self)), priority: 7 }),
  },
  requestConsumerKeyFrame: { from: 'inside', data: consumerOf('video') },
  getTransportStats: { from: 'inside', data: onBob },
  getDataProducerStats: {
    from: 'inside',
    data: async (_scene, self) => ({
      dataProducerId: self.transports.send === '' ? 'none' : await produceData(self).catch(() => 'none'),
    }),
  },
  getDataConsumerStats: {
    from: 'inside',
    data: async (_scene, self) => ({
      dataConsumerId: self.heard.some(({ method }) => method === 'request:newDataConsumer')
        ? (await self.hears('request:newDataConsumer')).id
        : 'none',
    }),
  },
  pauseAllConsumers: { from: 'inside', data: () => ({ kind: 'video' }) },
  resumeAllConsumers: { from: 'inside', data: nothing },
  consumeAudioStreams: { from: 'inside', data: onBob },
  consumeVideoStreams: { from: 'inside', data: onBob },
  stopConsumingAudioStreams: { from: 'inside', data: onCarl },
  stopConsumingVideoStreams: { from: 'inside', data: onCarl },
  enableAdaptiveSubscription: { from: 'inside', data: nothing },
  disableAdaptiveSubscription: { from: 'inside', data: nothing },
  changeMode: { from: 'inside', data: () => ({ mode: 'SEND_AND_RECV' }) },
  rejoinMedia: { from: 'inside', data: () => ({ rtpCapabilities: {} }), alone: true },

  respondEntry: {
    from: 'inside',
    needs: 'admit',
    data: async (scene) => {
      return { id: await visitor(scene), decision: 'denied' }
    },
  },
  liftRemoval: {
    from: 'inside',
    // The host is a moderator, so only moderators may lift its removals.
    needs: 'moderate',
    data: async (scene) => {
      const peerId = await victim(scene)
      await scene.host.request('removePeer', { peerId })
      return { peerId }
    },
  },

  changeDisplayName: { from: 'inside', data: () => ({ displayName: 'Self again' }) },
  switchToMeeting: { from: 'inside', data: elsewhere, alone: true },
  switchPeerRoom: {
    from: 'inside',
    needs: 'moderate',
    data: (scene) => ({ peerId: 'carl', roomId: scene.elsewhere }),
  },

  pubsubSubscribe: { from: 'inside', data: () => ({ topic: 'CHAT' }) },
  pubsubUnsubscribe: { from: 'inside', data: () => ({ topic: 'CHAT' }) },
  pubsubPublish: { from: 'inside', data: () => ({ topic: 'CHAT', message: 'hello' }) },
  realtimeStoreSet: { from: 'inside', data: () => ({ key: 'k', value: 'v' }) },
  realtimeStoreGet: { from: 'inside', data: () => ({ key: 'k' }) },
  realtimeStoreObserve: { from: 'inside', data: () => ({ key: 'k' }) },
  realtimeStoreStopObserve: { from: 'inside', data: () => ({ key: 'k' }) },

  mediaRelayRequestSent: { from: 'inside', data: elsewhere, alone: true },
  respondToMediaRelayRequest: {
    from: 'inside',
    needs: 'admit',
    data: async (scene) => {
      await scene.asker.request('mediaRelayRequestSent', { meetingId: scene.meetingId, secret: outsider() })
      return { decision: 'denied', peerId: 'asker', meetingId: scene.elsewhere }
    },
  },
  mediaRelayRequestStop: { from: 'inside', data: relayed, alone: true },
  enableRelayMedia: { from: 'inside', data: relayedKind, alone: true },
  disableRelayMedia: { from: 'inside', data: relayedKind, alone: true },

  closeRoom: { from: 'inside', needs: 'moderate', data: nothing, alone: true },
  removePeer: {
    from: 'inside',
    needs: 'moderate',
    data: async (scene) => ({ peerId: await victim(scene) }),
    alone: true,
  },
  stopAll: { from: 'inside', needs: 'moderate', data: () => ({ kind: 'audio' }) },
  setRules: { from: 'inside', needs: 'moderate', data: () => ({ share: true }) },
  setCoHost: { from: 'inside', needs: 'moderate', data: () => ({ peerId: 'carl', coHost: false }) },
  renamePeer: { from: 'inside', needs: 'moderate', data: () => ({ peerId: 'carl', displayName: 'Carl' }) },
  lowerHands: { from: 'inside', needs: 'moderate', data: () => ({ peerIds: ['carl'] }) },
  pauseTimer: { from: 'inside', needs: 'moderate', data: () => ({ paused: true }) },
  openBreakouts: {
    from: 'inside',
    needs: 'moderate',
    data: async ({ host }) => {
      await host.request('closeBreakouts')
      return { rooms: [{ name: 'One', peerIds: [] }] }
    },
  },
  assignBreakout: {
    from: 'inside',
    needs: 'moderate',
    data: async (scene) => ({ peerId: 'carl', roomId: await aRoomFor(scene, 'bob') }),
  },
  enterBreakout: {
    from: 'inside',
    data: async (scene, self) => ({ roomId: await aRoomFor(scene, self.participantId) }),
  },
  announceBreakouts: {
    from: 'inside',
    needs: 'moderate',
    data: async (scene) => {
      await aRoomFor(scene, 'bob')
      return { message: 'hello' }
    },
  },
  closeBreakouts: { from: 'inside', needs: 'moderate', data: () => ({}) },
  setTimer: { from: 'inside', needs: 'moderate', data: () => ({ seconds: 60 }) },
  createPoll: { from: 'inside', needs: 'moderate', data: () => QUESTION },
  reportDevice: {
    from: 'inside',
    data: () => ({ framesPercentDropped: 40, encodesTooSlowly: true }),
  },
  votePoll: { from: 'inside', data: async (scene) => ({ pollId: await aPoll(scene), choices: [0] }) },
  endPoll: {
    from: 'inside',
    needs: 'moderate',
    data: async (scene) => ({ pollId: await aPoll(scene) }),
  },
  enablePeerMic: { from: 'inside', needs: 'moderate', data: onCarl },
  disablePeerMic: { from: 'inside', needs: 'moderate', data: onCarl },
  enablePeerWebcam: { from: 'inside', needs: 'moderate', data: onCarl },
  disablePeerWebcam: { from: 'inside', needs: 'moderate', data: onCarl },
  enablePeerShare: { from: 'inside', needs: 'moderate', data: onCarl },
  disablePeerShare: { from: 'inside', needs: 'moderate', data: onCarl },
  pinStateChanged: {
    from: 'inside',
    needs: 'moderate',
    data: () => ({ peerId: 'carl', state: { cam: true } }),
  },
  startRecording: starts('recording'),
  stopRecording: stops('recording'),
  startHls: starts('hls'),
  stopHls: stops('hls'),
  startLivestream: starts('livestream'),
  stopLivestream: stops('livestream'),
  startTranscription: starts('transcription'),
  stopTranscription: stops('transcription'),
  startWhiteboard: { from: 'inside', needs: 'moderate', data: nothing },
  stopWhiteboard: {
    from: 'inside',
    needs: 'moderate',
    data: async ({ host }) => {
      await host.request('startWhiteboard', {})
      return {}
    },
  },
}

type RoomOutput = Exclude<OutputKind, 'participant' | 'track'>

/** Waits until no output of this kind is running. */
async function idle({ meetingId }: Scene, kind: RoomOutput): Promise<void> {
  const { meetings } = server
  await meetings.stopOutput(meetingId, kind).then(
    ({ afterReply }) => afterReply(),
    () => undefined,
  )
  while ((await meetings.outputs(meetingId)).some((output) => output.kind === kind)) await delay(5)
}

function starts(kind: RoomOutput): Row {
  const outputs = [{ url: 'rtmp://127.0.0.1/live', streamKey: 'key' }]
  return {
    from: 'inside',
    needs: 'moderate',
    data: async (scene) => {
      await idle(scene, kind)
      return kind === 'livestream' ? { outputs } : {}
    },
  }
}

function stops(kind: RoomOutput): Row {
  return {
    from: 'inside',
    needs: 'moderate',
    data: async (scene) => {
      await idle(scene, kind)
      const order = {
        kind,
        config: { targets: [] },
        baseUrl: '',
        webhookUrl: null,
      } as unknown as OutputOrdered
      const { afterReply } = await server.meetings.startOutput(scene.meetingId, order)
      afterReply()
      return {}
    },
  }
}

/** Opens a breakout room for a participant. */
async function aRoomFor({ host }: Scene, peerId: string): Promise<string> {
  await host.request('closeBreakouts')
  await host.request('openBreakouts', { rooms: [{ name: 'One', peerIds: [peerId] }] })
  const told = host.heard.findLast(({ method, breakouts }) => method === 'breakoutsChanged' && breakouts)!
  return (told.breakouts as { rooms: { roomId: string }[] }).rooms[0]!.roomId
}

const QUESTION = { question: 'Tea?', options: ['Yes', 'No'] }

async function aPoll({ host }: Scene): Promise<string> {
  return ((await host.request('createPoll', QUESTION)) as { pollId: string }).pollId
}

const methods = Object.keys(table) as RequestMethod[]

/** The expected result: `ok`, or the name of the refusal. */
function expectation(method: string, state: State, kind: GrantKind): string {
  if (absentServices.has(method)) return state === 'inside' ? 'ADD_ON_SERVICES_DISABLED' : 'INVALID_REQUEST'
  if (isAlwaysAnswered(method)) return 'ok'
  const row = table[method as RequestMethod]
  if (!statesFrom[row.from].includes(state)) return 'INVALID_STATE'
  // A socket opened while the token was valid does not yet admit anybody (docs/decisions/0005 and 0012).
  if (method === 'requestEntry' && kind.since)
    return kind.since === 'revoked' ? 'APIKEY_DEACTIVATED' : 'INVALID_TOKEN'
  // Nobody gets a new token of a revoked key.
  if (method === 'enterBreakout' && kind.since === 'revoked') return 'APIKEY_DEACTIVATED'
  if (row.needs && !kind.rights.includes(row.needs)) return 'INVALID_PERMISSIONS'
  // From inside, `join` completes a switch to another meeting, and there is none.
  if (method === 'join' && state === 'inside') return 'INVALID_STATE'
  return 'ok'
}

/** The states that this kind can reach by itself; only clients that must ask can wait. */
const statesOf = (kind: GrantKind): State[] =>
  kind.asks ? ['arrived', 'waiting', 'admitted', 'inside'] : ['arrived', 'admitted', 'inside']

const REVOKED_KEY = { apiKey: 'key-to-be-revoked', secret: 'a-secret-of-a-key-that-will-be-revoked' }
/** Long enough for all connections to reach their states. */
const EXPIRES_IN_SECONDS = 6
const SKEW_SECONDS = 60

let server: TestServer
let store: Store
before(async () => {
  server = await TestServer.start({
    maxRequestsPerSecond: 10_000,
    maxWaitingPerAddress: 10_000,
    maxProducers: 1000,
    // Connections stay in their states until they are tested.
    headersTimeoutSeconds: 600,
    joinTimeoutSeconds: 3600,
  })
  store = await openStore({ folder: server.config.dataDir })
  const [project] = await store.projects.list()
  await store.keys.create({
    ...REVOKED_KEY,
    projectId: project!.projectId,
    name: 'to be revoked',
    createdAt: Date.now(),
    revokedAt: null,
    lastUsedAt: null,
    origins: null,
  })
  await becomes(200, server.token(['allow_join'], REVOKED_KEY))
})
after(async () => {
  await store.close()
  await server.stop()
})

test('every message has a row with its states', () => {
  assert.deepEqual(methods.toSorted(), Object.keys(requests).toSorted())
  for (const method of methods)
    assert.deepEqual([...requests[method].states], [...statesFrom[table[method].from]], method)
})

test('every message, in every state, by every grant', async (t) => {
  const all: { scene: Scene; tries: Try[] }[] = []
  // The expiring kinds come last, so that they do not expire before they have reached their states.
  for (const kind of grantKinds) all.push(await setTheScene(kind))
  const expired = all.findLast(({ scene }) => scene.kind.since === 'expired')!
  await store.keys.revoke(REVOKED_KEY.apiKey, Date.now())
  await becomes(401, all.find(({ scene }) => scene.kind.since === 'revoked')!.scene.token)
  await becomes(401, expired.scene.token)
  const counts = { decisions: 0, ok: 0 }
  for (const { scene, tries } of all) {
    await t.test(scene.kind.name, async () => {
      for (const one of tries) {
        for (const method of one.methods) {
          const expected = expectation(method, one.state, scene.kind)
          const happened = await tell(scene, one.self, method)
          assert.equal(happened, expected, `${method} while ${one.state}, by ${scene.kind.name}`)
          counts.decisions++
          if (happened === 'ok') counts.ok++
        }
      }
      if (!scene.kind.rights.includes('moderate')) {
        assert.deepEqual(
          scene.carl.requested.filter(({ payload }) => payload.peerId === 'self'),
          [],
        )
        assert.equal(scene.carl.closed, undefined)
      }
    })
  }
  t.diagnostic(`${counts.decisions} decisions, of which ${counts.ok} let something happen`)
})

test('a refused connection is told why, whatever it sends, and nothing else', async () => {
  const meetingId = await server.createMeeting()
  const expired = signAnything({ apikey: 'test-key', permissions: ['allow_join'], exp: 1000 })
  const cases: [code: number, token: string][] = [
    [4024, server.token(['allow_join'], { roles: ['crawler'] })],
    [4053, server.token(['allow_join'], REVOKED_KEY)],
    [4002, expired],
    [4022, server.token(['allow_join'], { roomId: 'aaaa-bbbb-cccc' })],
    [4023, server.token(['allow_join'], { participantId: 'another' })],
    [4008, server.token(['allow_join', 'ask_join'])],
  ]
  for (const [code, token] of cases) {
    const self = server.connect({ token, meetingId, participantId: 'self' })
    await self.hears('error')
    for (const answer of await saidWhileGoing(self)) assert.equal(answer, code)
    assert.deepEqual([...new Set(self.heard.map(({ method }) => method))], ['error', 'close', 'disconnect'])
  }
})

test('the last messages of an evicted participant reach nobody', async () => {
  const meetingId = await server.createMeeting()
  const host = await join(meetingId, 'host', ['allow_mod'])
  const carl = await join(meetingId, 'carl', ['allow_join'])
  const self = await join(meetingId, 'self', ['allow_mod'])
  await carl.hears('newPeer', ({ id }) => id === 'self')
  const gone = self.hears('close')
  await host.request('removePeer', { peerId: 'self' })
  await gone
  const [heard, asked] = [carl.heard.length, carl.requested.length]
  for (const answer of await saidWhileGoing(self)) assert.equal(answer, 'INVALID_STATE')
  await carl.request('realtimeStoreGet', { key: 'k' })
  // The only message about the participant who left was sent before.
  const since = carl.heard.slice(heard).filter(({ method }) => method !== 'peerClosed')
  assert.deepEqual([since, carl.requested.length], [[], asked])
  assert.deepEqual(await carl.request('realtimeStoreGet', { key: 'k' }), { status: 'ok', value: null })
})

test('invalid messages are answered too: another event name, too early, too deep', async () => {
  const meetingId = await server.createMeeting()
  const early = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'early' })
  const refused = (name: string) => (error: unknown) => error instanceof WireError && error.errorName === name
  assert.ok(['ok', 'INVALID_STATE'].includes(await outcome(early.request('requestEntry'))))
  const self = await join(meetingId, 'self', ['allow_join'])
  for (const event of ['message', 'notification', 'close', 'newConsumer', '__proto__']) {
    const answer = await self.socket.timeout(5000).emitWithAck(event, {})
    assert.equal(answer.data.code, 'INVALID_REQUEST', event)
  }
  const other = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'other' })
  await other.enter()
  await other.hears('entryResponded')
  // Written by hand, because the client library could not encode it.
  const text = `42["request",{"method":"join","data":{"metaData":{"deep":${'['.repeat(60_000)}${']'.repeat(60_000)}}}}]`
  ;(other.socket.io.engine as unknown as { write: (text: string) => void }).write(text.slice(1))
  await assert.rejects(
    other.request('join', { metaData: { deep: Array.from({ length: 40 }).reduce((inner) => [inner], 1) } }),
    refused('INVALID_REQUEST'),
  )
  await self.request('realtimeStoreGet', { key: 'k' })
})

interface Try {
  state: State
  self: WireClient
  methods: string[]
}

async function setTheScene(kind: GrantKind): Promise<{ scene: Scene; tries: Try[] }> {
  const first = await newScene(kind)
  const all = [...methods, ...absentServices]
  const tries: Try[] = []
  for (const state of statesOf(kind)) {
    const changes = (method: string): boolean =>
      methods.includes(method as RequestMethod) &&
      table[method as RequestMethod].alone === true &&
      (method === 'requestEntry' ? state === 'arrived' : expectation(method, state, kind) === 'ok')
    tries.push({
      state,
      self: await inState(first, state, 'self'),
      methods: all.filter((method) => !changes(method)),
    })
    for (const method of all.filter(changes))
      tries.push({ state, self: await inState(first, state, `self-${method}`), methods: [method] })
  }
  // Requests that end the meeting come last.
  tries.sort(
    (one, other) => Number(one.methods[0] === 'closeRoom') - Number(other.methods[0] === 'closeRoom'),
  )
  return { scene: first, tries }
}

async function newScene(kind: GrantKind): Promise<Scene> {
  const [meetingId, other] = [await server.createMeeting(), await server.createMeeting()]
  const [host, bob, carl, asker] = await Promise.all([
    join(meetingId, 'host', ['allow_join', 'allow_mod']),
    join(meetingId, 'bob', ['allow_join']),
    join(meetingId, 'carl', ['allow_join']),
    join(other, 'asker', ['allow_join']),
  ])
  await produce(bob, 'audio')
  await produce(bob, 'video')
  await produceData(bob)
  return {
    kind,
    meetingId,
    elsewhere: other,
    host,
    bob,
    carl,
    asker,
    token: tokenOf(kind, meetingId, 'self'),
  }
}

function tokenOf(kind: GrantKind, meetingId: string, participantId: string): string {
  const now = Math.floor(Date.now() / 1000)
  return signAnything(
    {
      apikey: kind.since === 'revoked' ? REVOKED_KEY.apiKey : 'test-key',
      permissions: kind.permissions,
      ...(kind.pinned && { roomId: meetingId, participantId }),
      ...(kind.since === 'expired' && { exp: now - SKEW_SECONDS + EXPIRES_IN_SECONDS }),
    },
    kind.since === 'revoked' ? REVOKED_KEY.secret : undefined,
  )
}

async function inState(scene: Scene, state: State, name: string): Promise<WireClient> {
  const { kind, meetingId, host } = scene
  const participantId = `${name}-${state}`
  const self = server.connect({ token: tokenOf(kind, meetingId, participantId), meetingId, participantId })
  await self.hears('connectionSuccess')
  if (state === 'arrived') return self
  await self.request('requestEntry', { name })
  if (state === 'waiting') return self
  if (kind.asks) await host.request('respondEntry', { id: participantId, decision: 'allowed' })
  await self.hears('entryResponded', ({ decision }) => decision === 'allowed')
  if (state === 'inside') {
    await self.finishJoin()
    await heardOf(self, 'audio')
    await heardOf(self, 'video')
    await self.hears('request:newDataConsumer')
  } else {
    const { id } = await self.request('createWebRtcTransport', { producing: true, consuming: false })
    self.transports = { send: id, receive: '' }
  }
  return self
}

async function tell(scene: Scene, self: WireClient, method: string): Promise<string> {
  const row = (table as Partial<Record<string, Row>>)[method]
  return outcome(self.request(method, row ? await row.data(scene, self) : {}))
}

async function outcome(asked: Promise<unknown>): Promise<string> {
  try {
    await asked
    return 'ok'
  } catch (error) {
    return error instanceof WireError ? error.errorName : `silence: ${String(error)}`
  }
}

/** Sends all requests at once; returns the answers that arrived before the connection was closed. */
async function saidWhileGoing(self: WireClient): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const method of [...methods, ...absentServices]) {
    // The answer does not show whether they had an effect.
    if (isAlwaysAnswered(method)) continue
    self.socket.emit('request', { method, data: {} }, ({ data }: any) =>
      answers.push(
        typeof data.errorCode === 'number' && data.errorCode !== 5000 ? data.errorCode : data.code,
      ),
    )
  }
  await self.gone()
  return answers
}

async function becomes(status: number, token: string): Promise<void> {
  const giveUpAt = Date.now() + 90_000
  while ((await server.rest('GET', '/v2/rooms', undefined, token)).status !== status) {
    if (Date.now() > giveUpAt) throw new Error(`it never answers ${status}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const outsider = (): string => server.token(['allow_join'])

async function join(meetingId: string, participantId: string, permissions: string[]): Promise<WireClient> {
  const client = server.connect({ token: server.token(permissions), meetingId, participantId })
  await client.join()
  return client
}

let victims = 0
async function victim({ meetingId }: Scene): Promise<string> {
  const name = `victim-${++victims}`
  await join(meetingId, name, ['allow_join'])
  return name
}

let visitors = 0
async function visitor({ meetingId }: Scene): Promise<string> {
  const name = `visitor-${++visitors}`
  await server.connect({ token: server.token(['ask_join']), meetingId, participantId: name }).enter()
  return name
}

async function relay(scene: Scene, self: WireClient): Promise<void> {
  const { asker, elsewhere: meetingId } = scene
  const asked = await outcome(self.request('mediaRelayRequestSent', { meetingId, secret: outsider() }))
  if (asked !== 'ok') return
  await asker.hears('mediaRelayRequestReceived', ({ peerId }) => peerId === self.participantId)
  const answer = { peerId: self.participantId, meetingId: scene.meetingId, decision: 'allowed' }
  await asker.request('respondToMediaRelayRequest', answer)
}

function produce(client: WireClient, kind: 'audio' | 'video'): Promise<{ id: string }> {
  return client.request('produce', {
    transportId: client.transports.send,
    kind,
    rtpParameters: sampleRtpParameters(kind, { layers: kind === 'video' ? 3 : 1 }),
  })
}

async function produceData(client: WireClient): Promise<string> {
  const { id } = await client.request('produceData', {
    transportId: client.transports.send,
    sctpStreamParameters: { streamId: 0, ordered: true },
    label: 'data',
  })
  return id
}
