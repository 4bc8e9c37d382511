/** The published server SDK, unmodified, with one option: the address of our server. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  AuthenticationError,
  Grant,
  PermissionError,
  RoomNotFoundError,
  ValidationError,
  VideoSDK,
} from '@videosdk.live/server-sdk'
import { API_KEY, SECRET, TestServer } from './support/test-server.ts'

let server: TestServer
let sdk: VideoSDK
before(async () => {
  server = await TestServer.start({ sessionGraceSeconds: 0 })
  sdk = new VideoSDK({ apiKey: API_KEY, secret: SECRET, apiEndpoint: server.url })
})
after(() => server.stop())

const inside = async (
  meetingId: string,
  participantId: string,
  name: string,
  permissions = ['allow_join'],
) => {
  const client = server.connect({ meetingId, token: server.token(permissions), participantId, name })
  await client.join({
    deviceInfo: {
      sdkType: 'javascript',
      sdkVersion: '1.1.1',
      browserUserAgent: { browser: { name: 'Chrome', version: '156' } },
    },
  })
  return client
}

test('refusals reach the caller as errors of the SDK', async () => {
  const stranger = new VideoSDK({ apiKey: API_KEY, secret: 'x'.repeat(40), apiEndpoint: server.url })
  await assert.rejects(() => stranger.rooms.list(), AuthenticationError)
  await assert.rejects(() => sdk.rooms.get('none-none-none'), RoomNotFoundError)
  await assert.rejects(() => sdk.rooms.end('none-none-none'), RoomNotFoundError)
  await assert.rejects(() => sdk.sessions.get('0'.repeat(24)), RoomNotFoundError)
  await assert.rejects(
    () => sdk.rooms.create({ webhook: { endPoint: 'ftp://x', events: [] } } as never),
    ValidationError,
  )
  const joiner = sdk.accessToken().grant(Grant.AllowJoin).expiresIn('15m').toJwt()
  await assert.rejects(
    () => sdk.request('GET', '/v2/rooms', { headers: { authorization: joiner } }),
    PermissionError,
  )
})

test('rooms: create, get, list, validate, end', async () => {
  const room = await sdk.rooms.create({ customRoomId: 'sdk-room', geoFence: 'us002' })
  assert.match(room.roomId, /^[a-z0-9]{4}(-[a-z0-9]{4}){2}$/)
  assert.equal((await sdk.rooms.create({ customRoomId: 'sdk-room' })).roomId, room.roomId)
  assert.equal((await sdk.rooms.get('sdk-room')).roomId, room.roomId)
  for (let more = 0; more < 4; more++) await sdk.rooms.create()
  const seen: unknown[] = []
  for await (const one of await sdk.rooms.list({ perPage: 2 })) seen.push(one.roomId)
  assert.equal(seen.length, 5)
  assert.equal((await sdk.rooms.validate(room.roomId)).valid, true)
  assert.equal((await sdk.rooms.validate('none-none-none')).valid, false)
  assert.equal((await sdk.rooms.end(room.roomId)).disabled, true)
})

test('sessions and participants: ongoing and past, end and remove', async () => {
  const { roomId } = await sdk.rooms.create({ customRoomId: 'sdk-session' })
  assert.deepEqual((await sdk.participants.list(roomId)).data, [])
  await assert.rejects(() => sdk.participants.get(roomId, 'ann'), RoomNotFoundError)
  await assert.rejects(() => sdk.sessions.end({ roomId: roomId }), RoomNotFoundError)

  const ann = await inside(roomId, 'ann', 'Ann')
  const bob = await inside(roomId, 'bob', 'Bob')
  await bob.request('changeMode', { mode: 'RECV_ONLY' })

  const live = await sdk.sessions.list({ roomId: roomId, status: 'ongoing', perPage: 1 })
  const [session] = live.data
  assert.equal(session!.status, 'ongoing')
  assert.equal(session!.end, null)
  assert.equal(session!.customRoomId, 'sdk-session')
  assert.deepEqual(session!.participants!.map(({ name }) => name).sort(), ['Ann', 'Bob'])
  assert.equal((await sdk.sessions.get(session!.id)).roomId, roomId)

  const active = await sdk.participants.list(roomId)
  assert.deepEqual(active.data.map(({ participantId }) => participantId).sort(), ['ann', 'bob'])
  const one = await sdk.participants.get(roomId, 'bob')
  assert.equal(one.mode, 'RECV_ONLY')
  assert.deepEqual(
    (one.changeModeHistory as { mode: string }[]).map(({ mode }) => mode),
    ['SEND_AND_RECV', 'RECV_ONLY'],
  )

  await sdk.participants.remove(roomId, 'bob')
  await bob.hears('close', ({ code }) => code === 1010)
  assert.deepEqual(
    (await sdk.sessions.listActiveParticipants(session!.id)).data.map(({ participantId }) => participantId),
    ['ann'],
  )
  const all = await sdk.sessions.listParticipants(session!.id)
  assert.equal(all.data.length, 2)
  const gone = await sdk.sessions.getParticipant(session!.id, 'bob')
  assert.equal(gone.leaveReason, 'REMOVE_PEER_API')
  assert.ok(gone.timelog![0]!.end)

  const said = await sdk.sessions.removeParticipant({ participantId: 'ann', sessionId: session!.id })
  assert.equal(typeof said, 'string')
  await ann.gone()
  const eve = await inside(roomId, 'eve', 'Eve')
  const ended = await sdk.sessions.end({ roomId: roomId })
  await eve.hears('close', ({ code }) => code === 1009)
  assert.equal(ended.status, 'ended')
  assert.ok(ended.end)
  const past = await sdk.sessions.list({ roomId: roomId, status: 'ended' })
  assert.equal(past.data.length, 1 + Number(ended.id !== session!.id))
  const stats = await sdk.sessions.getStats(session!.id)
  assert.ok(Array.isArray(stats.stats))
  const own = await sdk.sessions.getParticipantStats(session!.id, 'bob')
  assert.deepEqual(own.deviceInfo, { deviceName: 'Chrome', deviceVersion: '156' })
  assert.equal(own.participantName, 'Bob')
})

test('tokens built by the SDK permit what they say and nothing else', async () => {
  const room = await sdk.rooms.create()
  const other = await sdk.rooms.create()
  const token = sdk
    .accessToken()
    .setParticipant('user-1')
    .grant(Grant.AllowJoin, Grant.AllowMod)
    .forRoom(room.roomId)
    .expiresIn('15m')
    .toJwt()
  assert.equal(sdk.verifyToken(token).roomId, room.roomId)
  const elsewhere = server.connect({ meetingId: other.roomId, token, participantId: 'user-1' })
  await elsewhere.hears('error', ({ code }) => code === 4022)
  const another = server.connect({ meetingId: room.roomId, token, participantId: 'user-2' })
  await another.hears('error', ({ code }) => code === 4023)
  const right = server.connect({ meetingId: room.roomId, token, participantId: 'user-1' })
  assert.equal((await right.join()).self.canModerate, true)
  // The SDK can read a token of our own get-token, too.
  const ours = (await (await fetch(`${server.url}/get-token`)).json()) as { token: string }
  assert.deepEqual(sdk.verifyToken(ours.token).permissions, ['allow_join'])
  const management = sdk.accessToken().forApi().toJwt()
  const crawler = server.connect({ meetingId: room.roomId, token: management, participantId: 'user-3' })
  await crawler.hears('error', ({ code }) => code === 4024)
})
