/**
 * Our own client with the whole server except media workers: each participant's state agrees with what the others
 * receive.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { freePorts } from './support/ports.ts'
import { OwnClient, type OwnClientOptions } from './support/own-client.ts'
import { ScriptedServer } from './support/scripted-server.ts'
import { TestServer } from './support/test-server.ts'

const DEVICE_MS = 100

let server: TestServer
let clients: OwnClient[] = []

before(async () => {
  server = await TestServer.start({ port: await freePorts(1) })
})
after(() => server.stop())
afterEach(async () => {
  await Promise.all(clients.map(({ meeting }) => meeting.leave()))
  for (const client of clients) assert.deepEqual(client.open, [], 'no device stays open')
  clients = []
})

function client(
  meetingId: string,
  participantId: string,
  options: Partial<OwnClientOptions> = {},
): OwnClient {
  const one = new OwnClient({
    url: server.url,
    token: server.token(['allow_join', 'allow_mod']),
    meetingId,
    participantId,
    openingMs: () => DEVICE_MS,
    ...options,
  })
  clients.push(one)
  return one
}

const join = (...given: Parameters<typeof client>): Promise<OwnClient> => client(...given).joined()

const has = (viewer: OwnClient, id: string): string => {
  const one = viewer.meeting.participants.get(id)
  if (!one) return 'nobody'
  const on = [one.micOn && 'mic', one.cameraOn && 'camera', one.shareOn && 'share'].filter(Boolean)
  return `${on.join('+') || 'nothing'} on; ${
    [...one.streams.values()]
      .map(({ kind }) => kind)
      .sort()
      .join('+') || 'no streams'
  }`
}
const ALL_ON = 'mic+camera on; audio+video'
const ALL_OFF = 'nothing on; no streams'

async function two(options: Partial<OwnClientOptions> = {}): Promise<[OwnClient, OwnClient, string]> {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob', options)]
  await ann.until(() => has(ann, 'bob') === ALL_ON, 'has all of bob')
  await bob.until(() => has(bob, 'ann') === ALL_ON, 'has all of ann')
  return [ann, bob, meetingId]
}

test('switches microphone, camera and screen on and off', async () => {
  const [ann, bob] = await two()
  const { devices } = bob.meeting
  await devices.startShare()
  await ann.until(
    () => has(ann, 'bob') === 'mic+camera+share on; audio+share+shareAudio+video',
    'has the screen',
  )
  await Promise.all([devices.stopShare(), devices.disableMic(), devices.disableCamera()])
  assert.deepEqual(bob.open, [])
  await ann.until(() => has(ann, 'bob') === ALL_OFF, 'has nothing of bob')
})

test('after quick changes the others have the latest wish', async () => {
  const [ann, bob] = await two()
  const { devices } = bob.meeting
  // Randomly, some of these are still under way when the next begins; each time the device ends off.
  for (let times = 0; times < 10; times++) {
    void devices.disableMic()
    void devices.enableMic()
    void devices.disableCamera()
    void devices.startShare()
    void devices.enableCamera()
    void devices.startShare()
    if (times % 2) await new Promise((done) => setTimeout(done, times * 20))
    await Promise.all([devices.disableMic(), devices.disableCamera(), devices.stopShare()])
  }
  await ann.until(() => has(ann, 'bob') === ALL_OFF, 'has nothing of bob')
  await Promise.all([devices.enableMic(), devices.enableCamera()])
  await ann.until(() => has(ann, 'bob') === ALL_ON, 'has all of bob')
  assert.equal(bob.open.length, 2)
})

test('leaving while a device opens closes it', async () => {
  const [, bob] = await two()
  await bob.meeting.devices.disableCamera()
  const pending = bob.meeting.devices.enableCamera()
  await bob.meeting.leave()
  await pending
  assert.equal(bob.tracks.length, 3, 'it was opened')
  assert.deepEqual(bob.open, [])
  const given = bob.tracks[0]!
  assert.equal(given.readyState, 'ended')
})

test('a meeting closes the devices given to it, also if it admitted nobody', async () => {
  const meetingId = await server.createMeeting()
  await join(meetingId, 'ann')
  const waiting = client(meetingId, 'bob', { token: server.token(['ask_join']) })
  await waiting.meeting.accepted
  await waiting.until(() => waiting.meeting.state === 'waiting', 'waits')
  assert.equal(waiting.tracks.length, 0, 'nothing is opened before')
  void waiting.meeting.devices.enableCamera()
  await waiting.until(() => waiting.open.length === 1, 'opened a camera')
  await waiting.meeting.leave()
  assert.deepEqual(waiting.open, [])
})

test('a stream switched off by a moderator while it starts is off, and can be switched on again', async () => {
  const [ann, bob] = await two()
  const { devices } = bob.meeting
  for (const waited of [0, DEVICE_MS / 2, DEVICE_MS + 2, DEVICE_MS + 10]) {
    await devices.disableMic()
    const pending = devices.enableMic()
    await new Promise((done) => setTimeout(done, waited))
    await ann.meeting.moderation.disableMic('bob')
    await pending
    assert.equal(devices.status('mic'), 'off')
    await ann.until(() => has(ann, 'bob') === 'camera on; video', `does not hear bob (${waited})`)
  }
  // The person's own wish comes while the moderator's is carried out; the later one counts.
  await devices.enableMic()
  const muting = ann.meeting.moderation.disableMic('bob')
  await bob.until(() => devices.status('mic') !== 'on', 'is being muted')
  await Promise.all([devices.enableMic(), muting])
  await ann.until(() => has(ann, 'bob') === ALL_ON, 'hears bob again')
  assert.equal(devices.status('mic'), 'on')
})

test('a request to switch on is accepted or declined', async () => {
  const [ann, bob] = await two()
  await bob.meeting.devices.disableCamera()
  const asked = new Promise<() => Promise<void>>((resolve) => {
    bob.meeting.on('deviceRequested', (request) => {
      assert.deepEqual([request.device, request.from], ['camera', 'ann'])
      resolve(() => request.accept())
    })
  })
  await ann.meeting.moderation.askCamera('bob')
  const accept = await asked
  assert.equal(bob.meeting.devices.status('camera'), 'off')
  await Promise.all([accept(), accept()])
  await ann.until(() => has(ann, 'bob') === ALL_ON, 'sees bob')
})

test('a stream ended by the browser is off for everybody', async () => {
  const [ann, bob] = await two()
  await bob.meeting.devices.startShare()
  bob.tracks.find(({ kind, readyState }) => kind === 'audio' && readyState === 'live')!.endByBrowser()
  await ann.until(() => has(ann, 'bob') === 'camera+share on; share+shareAudio+video', 'does not hear bob')
  assert.equal(bob.meeting.devices.status('mic'), 'off')
  // Only its sound ended: the screen continues.
  bob.tracks.findLast(({ kind, readyState }) => kind === 'audio' && readyState === 'live')!.endByBrowser()
  await ann.until(() => has(ann, 'bob') === 'camera+share on; share+video', 'sees the screen without sound')
  bob.tracks.findLast(({ kind, readyState }) => kind === 'video' && readyState === 'live')!.endByBrowser()
  await ann.until(() => has(ann, 'bob') === 'camera on; video', 'sees no screen')
})

test('a changed microphone or camera continues the same stream, unless it was switched off meanwhile', async () => {
  const [ann, bob] = await two()
  const { devices } = bob.meeting
  const before = [...ann.meeting.participants.get('bob')!.streams.keys()]
  await Promise.all([devices.switchMic('other'), devices.switchCamera('other')])
  assert.deepEqual([...ann.meeting.participants.get('bob')!.streams.keys()], before)
  assert.equal(bob.open.length, 2)
  const switching = devices.switchCamera('third')
  await devices.disableCamera()
  await switching
  await ann.until(() => has(ann, 'bob') === 'mic on; audio', 'does not see bob')
  assert.equal(bob.open.length, 1)
  // Switched while it is off or being switched on: afterwards it is on, with the new device.
  void devices.enableCamera()
  await devices.switchCamera('other')
  await ann.until(() => has(ann, 'bob') === ALL_ON, 'sees bob')
})

test('an unavailable device is off, and the reason is reported to the caller or to all', async () => {
  let broken = false
  const [ann, bob] = await two({ fails: () => broken })
  broken = true
  await bob.meeting.devices.disableMic()
  await assert.rejects(bob.meeting.devices.enableMic(), { name: 'DeviceError', problem: 'busy' })
  await assert.rejects(bob.meeting.devices.switchCamera('other'), { name: 'DeviceError' })
  assert.equal(bob.meeting.devices.status('camera'), 'on', 'the one before goes on')
  await ann.until(() => has(ann, 'bob') === 'camera on; video', 'does not hear bob')
  const bare = client(await server.createMeeting(), 'cat', { fails: () => true })
  const problems: string[] = []
  bare.meeting.on('deviceProblem', ({ message }) => problems.push(message))
  await bare.joined()
  await bare.until(() => problems.length === 2, 'tells of both devices')
})

test('a stream that the server refuses is off here too', async () => {
  const tight = await TestServer.start({ maxProducers: 1 })
  try {
    const meetingId = await tight.createMeeting()
    const token = tight.token(['allow_join'])
    const ann = await join(meetingId, 'ann', { url: tight.url, token, mic: false, camera: false })
    const bob = await join(meetingId, 'bob', { url: tight.url, token, camera: false })
    await ann.until(() => has(ann, 'bob') === 'mic on; audio', 'hears bob')
    await assert.rejects(bob.meeting.devices.enableCamera(), { reason: 'MAX_SPEAKER_REACHED' })
    assert.equal(bob.meeting.devices.status('camera'), 'off')
    assert.equal(bob.open.length, 1)
    // The video is sent, but its sound is refused: neither stays.
    await bob.meeting.devices.disableMic()
    await assert.rejects(bob.meeting.devices.startShare(), { reason: 'MAX_SPEAKER_REACHED' })
    await ann.until(() => has(ann, 'bob') === ALL_OFF, 'has nothing of bob')
    assert.deepEqual(bob.open, [])
  } finally {
    await Promise.all(clients.map(({ meeting }) => meeting.leave()))
    await tight.stop()
  }
})

test('a media worker dies while devices are switched: on is on again, off stays off', async () => {
  const [ann, bob] = await two()
  const { devices } = bob.meeting
  for (let times = 0; times < 5; times++) {
    void devices.disableCamera()
    server.sfu.kill()
    void devices.startShare()
    void devices.enableCamera()
    await new Promise((done) => setTimeout(done, (times + 1) * 15))
    server.sfu.kill()
    await devices.disableCamera()
    await ann.until(
      () => has(ann, 'bob') === 'mic+share on; audio+share+shareAudio' && has(bob, 'ann') === ALL_ON,
      `has what bob says (${times})`,
    )
    await Promise.all([devices.stopShare(), devices.enableCamera()])
  }
})

test('changes during an absence are known after the return', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  await join(meetingId, 'bob')
  await ann.until(() => has(ann, 'bob') === ALL_ON, 'has all of bob')
  // All connections are cut; bob returns with everything off before anybody could be told.
  const gone: string[] = []
  ann.meeting.on('streamRemoved', ({ kind }) => gone.push(kind))
  const bob = clients[1]!
  bob.meeting.on('stateChanged', (state) => {
    if (state === 'reconnecting') void bob.meeting.devices.disableCamera()
  })
  await server.restart()
  await Promise.all([ann.joined(), bob.joined()])
  await ann.until(() => has(ann, 'bob') === 'mic on; audio', 'does not see bob')
  assert.deepEqual(gone.sort(), ['audio', 'video'])
})

test('a participant who leaves takes the streams along', async () => {
  const [ann, bob] = await two()
  const order: string[] = []
  ann.meeting.on('streamRemoved', ({ kind }, { id }) => order.push(`${kind} of ${id}`))
  ann.meeting.on('participantLeft', ({ id }) => order.push(id))
  await bob.meeting.leave()
  await ann.until(() => order.includes('bob'), 'knows that bob left')
  assert.deepEqual(order, ['audio of bob', 'video of bob', 'bob'])
})

test('a new name reaches us from whichever client, our own included', async () => {
  const [ann, , meetingId] = await two()
  const cat = server.connect({
    meetingId,
    token: server.token(['allow_join']),
    participantId: 'cat',
    name: 'Cat',
  })
  await cat.join()
  await ann.until(() => ann.meeting.participants.get('cat')?.name === 'Cat', 'knows Cat')
  const changed = new Promise<string>((resolve) => {
    ann.meeting.on('participantChanged', ({ id, name }) => id === 'cat' && resolve(name))
  })
  await cat.request('changeDisplayName', { displayName: 'Katharina' })
  assert.equal(await changed, 'Katharina')
})

test('if the server lost a stream of ours or disagrees, the client rebuilds its media', async () => {
  const odd = await ScriptedServer.start()
  try {
    const ann = await join('meeting', 'ann', { url: odd.url, camera: false, disagreementMs: 300 })
    await ann.until(() => ann.meeting.devices.status('mic') === 'on', 'sends')
    assert.equal(odd.connections, 1)
    odd.say({ method: 'participantMediaStateChanged', peerId: 'ann', kind: 'audio', newState: false })
    await ann.until(() => odd.connections === 2 && odd.count('produce') === 2, 'sends again')
    await ann.until(() => ann.meeting.devices.status('mic') === 'on', 'sends')
    odd.say({ method: 'participantMediaStateChanged', peerId: 'ann', kind: 'share', newState: true })
    await ann.until(() => odd.connections === 3 && odd.count('produce') === 3, 'sends once more')
    // A short difference: nothing is rebuilt.
    odd.say({ method: 'participantMediaStateChanged', peerId: 'ann', kind: 'audio', newState: false })
    odd.say({ method: 'participantMediaStateChanged', peerId: 'ann', kind: 'audio', newState: true })
    await new Promise((done) => setTimeout(done, 600))
    assert.equal(odd.connections, 3)
    // A backend changes its own name.
    odd.say({ method: 'peerDisplayNameChanged', peerId: 'ann', displayName: 'Anna', oldDisplayName: 'ann' })
    await ann.until(() => ann.meeting.self.name === 'Anna', 'has another name')
  } finally {
    await Promise.all(clients.map(({ meeting }) => meeting.leave()))
    await odd.stop()
  }
})

test('a participant waits for a returning server that still prepares its media', async () => {
  const odd = await ScriptedServer.start()
  try {
    const ann = await join('meeting', 'ann', { url: odd.url, mic: false, camera: false })
    const told: string[] = []
    ann.meeting.on('mediaPreparing', (message) => told.push(`${ann.meeting.state}: ${message}`))
    odd.refusal = { code: 5000, name: 'MEDIA_PREPARING', message: 'Media is being prepared, 1 of 4.' }
    odd.cut()
    await ann.until(() => told.length === 2, 'was told twice')
    assert.deepEqual(new Set(told), new Set(['reconnecting: Media is being prepared, 1 of 4.']))
    assert.equal(ann.meeting.mediaPreparing, 'Media is being prepared, 1 of 4.')
    odd.refusal = undefined
    await ann.joined()
    assert.equal(ann.meeting.mediaPreparing, undefined)
    // A refusal that will not pass ends the attempt.
    odd.refusal = { code: 5000, name: 'MEDIA_UNAVAILABLE', message: 'Media is off.' }
    const left = new Promise<string | undefined>((resolve) =>
      ann.meeting.on('left', ({ error }) => resolve(error?.reason)),
    )
    odd.cut()
    assert.equal(await left, 'MEDIA_UNAVAILABLE')
  } finally {
    await Promise.all(clients.map(({ meeting }) => meeting.leave()))
    await odd.stop()
  }
})

test('nobody is in the lobby any more when the connection is reported lost', async () => {
  const odd = await ScriptedServer.start()
  try {
    const ann = await join('meeting', 'ann', { url: odd.url, mic: false, camera: false })
    const { lobby } = ann.meeting
    odd.say({ method: 'entryRequested', id: 'eve', name: 'Eve' })
    await ann.until(() => lobby.requests.size === 1, 'hears of Eve')
    const waiting: [state: string, requests: number][] = []
    ann.meeting.on('stateChanged', (state) => waiting.push([state, lobby.requests.size]))
    odd.cut()
    await ann.until(() => waiting.length > 0, 'loses the connection')
    assert.deepEqual(waiting[0], ['reconnecting', 0])
  } finally {
    await Promise.all(clients.map(({ meeting }) => meeting.leave()))
    await odd.stop()
  }
})

test('every question of the server is answered, also one without an effect', async () => {
  const odd = await ScriptedServer.start()
  try {
    const ann = await join('meeting', 'ann', { url: odd.url, mic: false, camera: false })
    await odd.ask('switchRoom', { roomId: 'other', token: null, payload: null, peerId: 'bob' })
    await odd.ask('enableMic', { peerId: 'bob' })
    await odd.ask('disableMic', { peerId: 'bob' })
    await odd.ask('disableShare', { peerId: 'bob' })
    await odd.ask('pinStateChanged', { peerId: 'bob', state: { cam: true }, pinnedBy: 'bob' })
    assert.equal(ann.meeting.pinnedId, 'bob')
  } finally {
    await Promise.all(clients.map(({ meeting }) => meeting.leave()))
    await odd.stop()
  }
})
