/** Programs in a meeting, with real media and without a browser. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { joinMeeting, MeetingError, type Agent, type JoinOptions } from '../src/agent/agent.ts'
import { RealServer } from './support/real-server.ts'
import { hears, shareAt, tone } from './support/sounds.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

let server: RealServer
let folder: string
let agents: Agent[] = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-agent-'))
  server = await RealServer.start({ MEDIA_WORKERS: '1', SESSION_GRACE_SECONDS: '60' })
})
after(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.leave()))
  agents = []
})

const tokenFor = (...permissions: string[]): string => signAnything({ apikey: API_KEY, permissions })

async function enter(meetingId: string, name: string, options: Partial<JoinOptions> = {}): Promise<Agent> {
  const agent = await joinMeeting({
    url: server.url,
    token: tokenFor('allow_join', 'allow_mod'),
    meetingId,
    name,
    participantId: name.toLowerCase(),
    ...options,
  })
  agents.push(agent)
  return agent
}

/** Waits until this holds; the time limit of the test ends it otherwise. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(10)
}

const refusedWith = (reason: string) => (error: unknown) => {
  assert.ok(error instanceof MeetingError, String(error))
  assert.equal(error.reason, reason)
  assert.doesNotMatch(error.message, /ey[\w-]+\.ey/, 'no token in a sentence')
  return true
}

test('who may not join gets the server’s refusal', { timeout: 60_000 }, async () => {
  const meetingId = await server.createMeeting()
  await assert.rejects(enter(meetingId, 'Ann', { token: 'nonsense' }), refusedWith('INVALID_TOKEN'))
  await assert.rejects(enter('none-such-here', 'Ann'), (error) => error instanceof MeetingError)
  await assert.rejects(
    enter(meetingId, 'Ann', { participantId: 'with space' }),
    refusedWith('INVALID_PARTICIPANT_ID'),
  )
  await assert.rejects(
    enter(meetingId, 'Ann', { url: 'http://127.0.0.1:9' }),
    refusedWith('CONNECTION_FAILED'),
  )
  const sealed = await server.createMeeting({ encryption: 'required' })
  await assert.rejects(enter(sealed, 'Ann'), refusedWith('ENCRYPTION_REQUIRED'))
})

test('who asks waits in the lobby: denied, given up, and let in', { timeout: 60_000 }, async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'Host')
  const guest = (options: Partial<JoinOptions> = {}): Promise<Agent> =>
    enter(meetingId, 'Guest', { token: tokenFor('ask_join'), ...options })
  const answerNext = (answer: 'allow' | 'deny'): void => {
    const off = host.on('entryRequested', ({ id }) => {
      off()
      void host.lobby[answer](id)
    })
  }

  answerNext('deny')
  await assert.rejects(guest(), (error) => error instanceof MeetingError && /den/i.test(error.reason))

  await until(() => host.lobby.requests.size === 0)
  const withdrawn = new Promise<void>((resolve) => host.on('entrySettled', () => resolve()))
  const giveUp = new AbortController()
  await assert.rejects(
    guest({ signal: giveUp.signal, onWaiting: () => giveUp.abort(new Error('no time')) }),
    /no time/,
  )
  await withdrawn

  answerNext('allow')
  let waited = false
  const agent = await guest({ onWaiting: () => (waited = true) })
  assert.equal(waited, true)
  assert.deepEqual([agent.state, [...agent.participants.keys()]], ['joined', ['host']])
})

test('what cannot be published is refused, and nothing is sent', { timeout: 60_000 }, async () => {
  const meetingId = await server.createMeeting()
  const ann = await enter(meetingId, 'Ann')
  const text = join(folder, 'text.wav')
  await writeFile(text, 'this is no sound')
  await assert.rejects(ann.publishAudio('/sounds/hello.mp3'), refusedWith('UNKNOWN_FILE'))
  await assert.rejects(ann.publishAudio(join(folder, 'none.wav')), refusedWith('FILE_UNREADABLE'))
  await assert.rejects(ann.publishAudio(text), refusedWith('INVALID_FILE'))
  await assert.rejects(ann.publishAudio(tone(440), { sampleRate: 1 }), refusedWith('INVALID_SOUND'))
  await assert.rejects(ann.publishVideo(text), refusedWith('UNKNOWN_FILE'))
  await assert.rejects(ann.publishVideo(join(folder, 'none.ivf')), refusedWith('FILE_UNREADABLE'))
  assert.throws(() => ann.pcm('nobody'), refusedWith('NOT_FOUND'))

  const voice = await ann.publishAudio(tone(440))
  await assert.rejects(ann.publishAudio(tone(660)), refusedWith('ALREADY_PUBLISHED'))
  await voice.stop()
  assert.deepEqual(await voice.ended, { reason: 'stopped' })
  await ann.leave()
  await assert.rejects(ann.publishAudio(tone(440)), refusedWith('LEFT'))
})

test('two agents hear each other, and each tone is the one that was sent', { timeout: 60_000 }, async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await enter(meetingId, 'Ann'), await enter(meetingId, 'Bob')]
  await until(() => ann.participants.has('bob'))
  const [atAnn, atBob] = [ann.pcm('bob'), bob.pcm('ann', { sampleRate: 16_000 })]
  await Promise.all([ann.publishAudio(tone(440)), bob.publishAudio(tone(1000))])
  const [frame, other] = await Promise.all([hears(atAnn, 1000), hears(atBob, 440)])
  assert.deepEqual([frame.sampleRate, frame.channels, frame.samples.length], [48_000, 1, 960])
  assert.deepEqual([other.sampleRate, other.samples.length], [16_000, 320])
  assert.ok(shareAt(440, frame.samples) < 0.1, 'not our own')
  assert.ok(Math.abs(Date.now() - other.arrivedAt) < 10_000)

  // Raw packets come as they were encoded.
  const packets = bob.packets('ann')
  const { value: packet } = await packets.next()
  assert.ok(packet!.data.length > 10)

  // The server tells by the level in the packets who speaks.
  await until(() => ann.activeSpeakerId === 'bob' || bob.activeSpeakerId === 'ann')

  // A reader of a participant stays over mutes; the reader of one stream does not.
  const stream = [...bob.participants.get('ann')!.streams.values()].find(({ kind }) => kind === 'audio')!
  assert.ok(stream.kind === 'audio')
  const ofStream = stream.pcm()
  await bob.moderation.disableMic('ann')
  await until(() => !bob.participants.get('ann')!.micOn)
  for await (const { samples } of ofStream) assert.ok(samples.length > 0)
  await ann.publishAudio(tone(660))
  await hears(atBob, 660)
  await ann.leave()
  for await (const { samples } of atBob) assert.ok(samples.length > 0)
  await atAnn.return!()
  await packets.return!()
})

test('a moderator switches a stream off, and the app is told why', { timeout: 60_000 }, async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await enter(meetingId, 'Ann'), await enter(meetingId, 'Bob')]
  const voice = await bob.publishAudio(tone(440))
  await until(() => ann.participants.get('bob')?.micOn === true)
  await ann.moderation.disableMic('bob')
  assert.deepEqual(await voice.ended, { reason: 'moderator' })
  await until(() => ann.participants.get('bob')?.micOn === false)
})

test('a slow reader loses sound, is told how much, and nothing grows', { timeout: 60_000 }, async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await enter(meetingId, 'Ann'), await enter(meetingId, 'Bob')]
  await ann.publishAudio(tone(440))
  await until(() => bob.participants.get('ann')?.streams.size === 1)
  const slow = bob.packets('ann', { buffer: 5 })
  await until(() => slow.dropped >= 20)
  const rest: number[] = []
  for (let at = 0; at < 6; at++) rest.push((await slow.next()).value!.missing)
  assert.ok(rest[0]! >= 20, `${rest[0]} are missing before the first`)
  await slow.return!()
})

test('a file is played at its speed to its end', { timeout: 60_000 }, async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await enter(meetingId, 'Ann'), await enter(meetingId, 'Bob')]
  const file = join(folder, 'tone.wav')
  await writeFile(file, wav(440, 22_050, 1.5))
  await until(() => ann.participants.has('bob'))
  const reading = bob.pcm('ann')
  await until(() => bob.participants.has('ann'))
  const began = performance.now()
  const voice = await ann.publishAudio(file)
  await hears(reading, 440, 40)
  assert.deepEqual(await voice.ended, { reason: 'finished' })
  assert.ok(performance.now() - began > 1200, 'not faster than it is heard')
  await until(() => bob.participants.get('ann')?.micOn === false)
})

test('chat, and leaving, are those of the client', { timeout: 60_000 }, async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await enter(meetingId, 'Ann'), await enter(meetingId, 'Bob')]
  const heard = new Promise<string>((resolve) => bob.chat.listen('CHAT', ({ text }) => resolve(text)))
  await ann.chat.publish('CHAT', 'hello', { keep: true })
  assert.equal(await heard, 'hello')
  const left = new Promise<string>((resolve) => bob.on('participantLeft', ({ name }) => resolve(name)))
  await ann.leave()
  assert.equal(await left, 'Ann')
  assert.equal(ann.state, 'left')
})

test('everybody is back after the server was killed, and sound goes on', { timeout: 120_000 }, async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await enter(meetingId, 'Ann'), await enter(meetingId, 'Bob')]
  const voice = await ann.publishAudio(tone(440))
  await until(() => bob.participants.has('ann'))
  await hears(bob.pcm('ann'), 440)
  await server.end('SIGKILL')
  await until(() => ann.state === 'reconnecting' && bob.state === 'reconnecting')
  await server.run()
  await until(() => ann.state === 'joined' && bob.state === 'joined' && bob.participants.has('ann'))
  await hears(bob.pcm('ann'), 440)
  // Media workers alone come back on the same connection.
  server.killWorkers()
  await hears(bob.pcm('ann'), 440)
  await voice.stop()
})

/** One channel of 16 bits. */
function wav(hertz: number, rate: number, seconds: number): Buffer {
  const samples = Int16Array.from(
    { length: rate * seconds },
    (_, at) => 8000 * Math.sin((2 * Math.PI * hertz * at) / rate),
  )
  const head = Buffer.alloc(44)
  head.write('RIFF')
  head.writeUInt32LE(36 + samples.byteLength, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate * 2, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(samples.byteLength, 40)
  return Buffer.concat([head, Buffer.from(samples.buffer)])
}
