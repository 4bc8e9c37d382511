/** The published browser client, unmodified, against our server, with media. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser, Person } from './support/browser.ts'
import { AppServer, Published, type Pictures, type PublishedOptions } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { startFakeRecogniser, type FakeRecogniser } from './support/fake-recogniser.ts'
import { hasRtmpServer, noOutputs, RtmpServer } from './support/rtmp-server.ts'
import { signAnything } from './support/test-server.ts'

let browser: Browser
let app: AppServer
let server: RealServer
let recogniser: FakeRecogniser
let rtmp: RtmpServer | undefined
let windows: { close(): Promise<void> }[] = []

before(async () => {
  browser = await launchBrowser([
    '--ignore-certificate-errors',
    '--auto-select-desktop-capture-source=Entire screen',
  ])
  app = await AppServer.start()
  recogniser = await startFakeRecogniser('hello')
  rtmp = hasRtmpServer ? await RtmpServer.start() : undefined
  server = await RealServer.start({
    LOBBY_TIMEOUT_SECONDS: '30',
    MAX_PARTICIPANTS: '4',
    TRANSCRIPTION_URL: recogniser.url,
    OUTPUTS_ALLOW_PRIVATE: 'true',
  })
})
after(async () => {
  await browser.close()
  app.stop()
  await server.stop()
  await rtmp?.stop()
  recogniser.close()
})
afterEach(async () => {
  await Promise.all(windows.map((window) => window.close()))
  windows = []
})

const DIRECT = ['allow_join']
const MODERATOR = ['allow_join', 'allow_mod']
const ASKS = ['ask_join']

async function meeting(): Promise<string> {
  const answer = await fetch(`${server.url}/v2/rooms`, {
    method: 'POST',
    headers: { authorization: signAnything({ apikey: 'test-key', permissions: DIRECT }) },
  })
  return ((await answer.json()) as { roomId: string }).roomId
}

const token = (permissions: string[], claims: Record<string, unknown> = {}): string =>
  signAnything({ apikey: 'test-key', permissions, ...claims })

async function window(pictures: Pictures = 'small'): Promise<Published> {
  const one = await Published.at(browser, app, undefined, { pictures })
  windows.push(one)
  return one
}

async function inside(
  meetingId: string,
  participantId: string,
  permissions = DIRECT,
  options: Partial<PublishedOptions> = {},
  pictures: Pictures = 'small',
): Promise<Published> {
  const one = await window(pictures)
  return one.inside(server.secureUrl, {
    token: token(permissions),
    meetingId,
    participantId,
    name: participantId,
    ...options,
  })
}

test('each refusal reaches join() with its code', async () => {
  const meetingId = await meeting()
  const disabled = await meeting()
  await fetch(`${server.url}/v2/rooms/deactivate`, {
    method: 'POST',
    headers: { authorization: token(DIRECT), 'content-type': 'application/json' },
    body: JSON.stringify({ roomId: disabled }),
  })
  const cases: [code: number, name: string, given: string, to: string][] = [
    [4001, 'INVALID_API_KEY', signAnything({ apikey: 'nobody', permissions: DIRECT }), meetingId],
    [4002, 'INVALID_TOKEN', `${token(DIRECT).slice(0, -3)}AAA`, meetingId],
    [4002, 'INVALID_TOKEN', token(DIRECT, { exp: 1_700_000_000, iat: 1_600_000_000 }), meetingId],
    [4003, 'INVALID_MEETING_ID', token(DIRECT), 'aaaa-bbbb-cccc'],
    [4008, 'INVALID_PERMISSIONS', token(['ask_join', 'allow_mod']), meetingId],
    [4022, 'UNAUTHORIZED_MEETING_ID', token(DIRECT, { roomId: 'aaaa-bbbb-cccc' }), meetingId],
    [4024, 'UNAUTHORIZED_ROLE', token(DIRECT, { roles: ['crawler'] }), meetingId],
    [4052, 'MEETING_ID_DISABLED', token(DIRECT), disabled],
  ]
  const one = await window()
  for (const [code, name, given, to] of cases) {
    const failed = await one.join(server.secureUrl, { token: given, meetingId: to })
    assert.deepEqual({ code: failed.code, name: failed.name }, { code, name })
  }
  // The socket detects it, so it is reported as an error event.
  await one.join(server.secureUrl, {
    token: token(DIRECT, { participantId: 'ann' }),
    meetingId,
    participantId: 'bob',
  })
  await one.logged('error', 'values[0].code === 4023')
})

test('a full meeting, a revoked key and a second place reach it too', async () => {
  const meetingId = await meeting()
  const still = { micEnabled: false, webcamEnabled: false }
  const [ann] = await Promise.all(
    ['ann', 'bob', 'carl', 'dan'].map((id) => inside(meetingId, id, DIRECT, still)),
  )
  const fifth = await window()
  await fifth.join(server.secureUrl, { token: token(DIRECT), meetingId, participantId: 'fifth', ...still })
  await fifth.logged('error', 'values[0].code === 4009')
  const second = await inside(meetingId, 'ann', DIRECT, still)
  await ann!.logged('error', 'values[0].code === 4005')
  await ann!.logged('meeting-left', 'values[0].code === 1011')
  assert.equal(await second.run('return m.participants.size'), 3)

  const cli = (...args: string[]): string =>
    execFileSync(process.execPath, [join(import.meta.dirname, '../src/cli.ts'), ...args], {
      env: server.env,
      encoding: 'utf8',
    })
  const { apiKey, secret } = JSON.parse(cli('keys', 'create', '--json'))
  cli('keys', 'revoke', apiKey)
  const revoked = signAnything({ apikey: apiKey, permissions: DIRECT }, secret)
  const giveUpAt = Date.now() + 60_000
  for (;;) {
    const failed = await fifth.join(server.secureUrl, { token: revoked, meetingId })
    if (failed.code === 4053) break
    // Before the server has read its keys again, it does not know this key, or not that it is revoked.
    assert.ok(failed.code === 4001 || failed.code === 3056, JSON.stringify(failed))
    assert.ok(Date.now() < giveUpAt)
  }
})

test('two sides see and hear each other; mute and unmute are seen', async () => {
  const meetingId = await meeting()
  const ann = await inside(meetingId, 'ann')
  const bob = await inside(meetingId, 'bob')
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  await bob.until(`m.participants.get('ann').micOn && m.participants.get('ann').webcamOn`)
  await ann.run('await m.muteMic()')
  await bob.until(`!m.participants.get('ann').micOn && m.participants.get('ann').webcamOn`)
  await ann.run('await m.unmuteMic()')
  await bob.until(`m.participants.get('ann').micOn`)
  await ann.run('await m.disableWebcam()')
  await bob.until(`!m.participants.get('ann').webcamOn`)
  await ann.run('await m.enableWebcam()')
  await bob.seesAndHears(1)
  await ann.run('m.leave()')
  await bob.logged('participant-left', `values[0].id === 'ann' && values[1].code === 1101`)
})

test('our own client and the published one meet in one meeting', async () => {
  const ann = await Person.at(browser, 'Ann')
  windows.push(ann)
  const link = await ann.start(server.url)
  const bob = await inside(link.split('/m/')[1]!, 'bob', MODERATOR)
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  await ann.act('bob', 'Stop camera')
  await bob.until('!m.localParticipant.webcamOn')
  await bob.run(
    `await [...m.participants.values()].find(({ displayName }) => displayName === 'Ann').disableMic()`,
  )
  await ann.knows((meeting) => meeting.devices.mic === undefined)
  await bob.until(`[...m.participants.values()].every(({ micOn }) => !micOn)`)
})

test('lobby: denied, then allowed', async () => {
  const meetingId = await meeting()
  const ann = await inside(meetingId, 'ann')
  const guest = await window()
  await guest.join(server.secureUrl, { token: token(ASKS), meetingId, participantId: 'guest' })
  await ann.until(`last['entry-requested']?.participantId === 'guest'`)
  await ann.run(`last['entry-requested'].deny()`)
  await guest.logged('entry-responded', `values[1] === 'denied'`)
  await guest.logged('meeting-left')

  const second = await window()
  await second.join(server.secureUrl, { token: token(ASKS), meetingId, participantId: 'second' })
  await ann.until(`last['entry-requested']?.participantId === 'second'`)
  await ann.run(`last['entry-requested'].allow()`)
  await second.logged('meeting-joined')
  await second.seesAndHears(1)
})

test('moderation: 4008 without the right; off immediately, on by consent, removed, ended', async () => {
  const meetingId = await meeting()
  const ann = await inside(meetingId, 'ann', MODERATOR)
  const bob = await inside(meetingId, 'bob')
  await bob.until(`m.participants.get('ann')`)
  await ann.until(`m.participants.get('bob')?.webcamOn`)
  await bob.run(
    `try { await m.participants.get('ann').disableMic() } catch (error) { log.push(['caught', error.code]) }`,
  )
  await bob.until(
    `log.some(([name, value]) => (name === 'caught' && value === 4008) || (name === 'error' && value?.code === 4008))`,
  )
  await ann.run(`await m.participants.get('bob').disableWebcam()`)
  await bob.until('!m.localParticipant.webcamOn')
  await ann.run(`await m.participants.get('bob').enableWebcam()`)
  await bob.until(`last['webcam-requested']`)
  assert.equal(await bob.until('!m.localParticipant.webcamOn'), true)
  await bob.run(`await last['webcam-requested'].accept()`)
  await ann.until(`m.participants.get('bob').webcamOn`)
  await ann.run(`await m.participants.get('bob').pin('CAM')`)
  await bob.logged(
    'pin-state-changed',
    `(values[0].participantId ?? values[0].peerId) === 'bob' && values[0].pinnedBy === 'ann'`,
  )
  await ann.run(`await m.participants.get('bob').unpin('CAM')`)
  await bob.until(`log.filter(([name]) => name === 'pin-state-changed').length === 2`)
  await ann.run(`await m.participants.get('bob').remove()`)
  await bob.logged('meeting-left', 'values[0].code === 1002')
  const carl = await inside(meetingId, 'carl')
  await ann.run('await m.end()')
  await carl.logged('meeting-left', 'values[0].code === 1008')
})

test('a shared screen arrives as its own kind', async () => {
  const meetingId = await meeting()
  const ann = await inside(meetingId, 'ann')
  const bob = await inside(meetingId, 'bob')
  await ann.run('await m.enableScreenShare()')
  await bob.logged('stream-enabled', `values[0] === 'ann' && values[1] === 'share'`)
  await bob.logged('presenter-changed', `values[0] === 'ann'`)
  await bob.until(`m.participants.get('ann').screenShareOn`)
  await ann.run('await m.disableScreenShare()')
  await bob.logged('stream-disabled', `values[0] === 'ann' && values[1] === 'share'`)
})

const LISTEN = (topic: string, options = '{}'): string => `
  globalThis.chat ??= []
  await m.pubSub.subscribe(${JSON.stringify(topic)}, {
    onMessageReceived: (message) => chat.push(['new', message]),
    onBatchReceived: () => undefined,
    onOldMessagesReceived: (messages, info) => chat.push(['old', messages, info]),
    onMessageDrop: (dropped) => chat.push(['dropped', dropped]),
  }, ${options})`

test('chat: live to all with the sender of the server, history in order, private to the named', async () => {
  const meetingId = await meeting()
  const [ann, bob] = [await inside(meetingId, 'ann'), await inside(meetingId, 'bob')]
  await ann.run(LISTEN('CHAT'))
  await bob.run(LISTEN('CHAT'))
  await ann.run(
    `for (let at = 1; at <= 3; at++) await m.pubSub.publish('CHAT', 'message ' + at, { persist: true }, { at })`,
  )
  await bob.until(`chat.filter(([kind]) => kind === 'new').length === 3`)
  await ann.until(`chat.filter(([kind]) => kind === 'new').length === 3`)
  const heard = await bob.run<any[]>('return chat.map(([, message]) => message)')
  assert.deepEqual(
    heard.map(({ message, senderId, senderName, topic, payload }) => ({
      message,
      senderId,
      senderName,
      topic,
      payload,
    })),
    [1, 2, 3].map((at) => ({
      message: `message ${at}`,
      senderId: 'ann',
      senderName: 'ann',
      topic: 'CHAT',
      payload: { at },
    })),
  )
  const carl = await inside(meetingId, 'carl')
  await ann.run(`await m.pubSub.publish('CHAT', 'for bob', { persist: true, sendOnly: ['bob'] })`)
  await bob.until(`chat.some(([, message]) => message.message === 'for bob')`)
  await carl.run(LISTEN('CHAT'))
  await carl.until(`chat.some(([kind]) => kind === 'old')`)
  const old = await carl.run<any[]>(`return chat.filter(([kind]) => kind === 'old')`)
  assert.deepEqual(
    old.flatMap(([, messages]) => messages.map((one: any) => one.message)),
    ['message 1', 'message 2', 'message 3'],
  )
  assert.equal(old.at(-1)![2].isLast, true)
  // `oldMessageLimit` limits the number of kept messages.
  const dan = await inside(meetingId, 'dan')
  await dan.run(LISTEN('CHAT', '{ oldMessageLimit: 1 }'))
  await dan.until(`chat.some(([kind]) => kind === 'old')`)
  assert.deepEqual(
    await dan.run(`return chat.flatMap(([, messages]) => messages.map((one) => one.message))`),
    ['message 3'],
  )
})

test('realtime store: everybody sees the same last value, and who set it', async () => {
  const meetingId = await meeting()
  const [ann, bob] = [await inside(meetingId, 'ann'), await inside(meetingId, 'bob')]
  for (const one of [ann, bob]) {
    await one.run(
      `globalThis.seen = []; await m.realtimeStore.observe('score', (...values) => seen.push(values))`,
    )
  }
  await Promise.all([
    ann.run(`for (let at = 0; at < 10; at++) await m.realtimeStore.setValue('score', 'ann ' + at)`),
    bob.run(`for (let at = 0; at < 10; at++) await m.realtimeStore.setValue('score', 'bob ' + at)`),
  ])
  await ann.until('seen.length === 20')
  await bob.until('seen.length === 20')
  assert.deepEqual(await ann.run('return seen'), await bob.run('return seen'))
  const last = await ann.run<string>(`return m.realtimeStore.getValue('score')`)
  assert.equal(JSON.stringify(await bob.run('return seen.at(-1)')).includes(last), true)
  await ann.run(`await m.realtimeStore.setValue('score', null)`)
  assert.equal(await bob.until(`(await m.realtimeStore.getValue('score')) === null`), true)
})

test('data messages, reliable and unreliable', async () => {
  const meetingId = await meeting()
  const [ann, bob] = [await inside(meetingId, 'ann'), await inside(meetingId, 'bob')]
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  for (const reliability of ['RELIABLE', 'UNRELIABLE']) {
    await ann.run(
      `globalThis.sending = setInterval(() => m.send('hello ${reliability}', { reliability: '${reliability}' }).catch((error) => log.push(['send failed', String(error?.message)])), 300)`,
    )
    await bob.logged('data', `values[0].payload === 'hello ${reliability}' && values[0].from === 'ann'`)
    await ann.run('clearInterval(sending)')
  }
})

test('modes: a receiver sends nothing, and can return to sending', async () => {
  const meetingId = await meeting()
  const [ann, bob] = [await inside(meetingId, 'ann'), await inside(meetingId, 'bob')]
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  await ann.run(`await m.changeMode('RECV_ONLY')`)
  await bob.logged(
    'participant-mode-changed',
    `values[0].participantId === 'ann' && values[0].mode === 'RECV_ONLY'`,
  )
  await bob.until(`m.participants.get('ann').streams.size === 0`)
  await ann.until(`m.participants.get('bob').streams.size === 2`)
  await ann.run(`await m.changeMode('SIGNALLING_ONLY')`)
  await ann.until(`m.participants.get('bob').streams.size === 0`)
  await ann.run(`await m.changeMode('SEND_AND_RECV')`)
  await ann.run('await m.enableWebcam().catch(() => 0); await m.unmuteMic().catch(() => 0)')
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
})

test('switchTo: into another meeting with the own streams, and not with a bad token', async () => {
  const [first, second] = [await meeting(), await meeting()]
  const [ann, bob, carl] = [
    await inside(first, 'ann'),
    await inside(first, 'bob'),
    await inside(second, 'carl'),
  ]
  await ann.seesAndHears(1)
  const bad = token(DIRECT, { roomId: first })
  await ann.run(
    `try { await m.switchTo({ meetingId: '${second}', token: '${bad}' }) } catch (error) { log.push(['caught', error.code]) }`,
  )
  await ann.until(
    `log.some(([name, value]) => (name === 'caught' && value === 4022) || (name === 'error' && value?.code === 4022))`,
  )
  await bob.until(`m.participants.has('ann')`)
  await ann.run(`await m.switchTo({ meetingId: '${second}', token: '${token(DIRECT)}' })`)
  await bob.logged('participant-left', `values[0].id === 'ann' && values[1].code === 1005`)
  await carl.logged('participant-joined', `values[0].id === 'ann'`)
  await Promise.all([ann.seesAndHears(1), carl.seesAndHears(1)])
  await ann.run(LISTEN('CHAT'))
  await carl.run(LISTEN('CHAT'))
  await ann.run(`await m.pubSub.publish('CHAT', 'over here')`)
  await carl.until(`chat.some(([, message]) => message.message === 'over here')`)
})

test('a cut connection comes back to the same meeting, with media, and nobody doubled', async () => {
  const meetingId = await meeting()
  const [ann, bob] = [await inside(meetingId, 'ann'), await inside(meetingId, 'bob')]
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  await server.end('SIGKILL')
  await server.run()
  await ann.until(
    `log.filter(([name]) => name === 'meeting-joined').length === 2 || log.some(([name, value]) => name === 'meeting-state-changed' && value?.state === 'CONNECTED' && log.filter(([other]) => other === 'participant-joined').length > 1)`,
  )
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  assert.equal(await ann.run('return m.participants.size'), 1)
  assert.equal(await bob.run('return m.participants.size'), 1)
})

test('after the death of a media worker the published client reconnects and has its media again', async () => {
  const meetingId = await meeting()
  const [ann, bob] = [await inside(meetingId, 'ann'), await inside(meetingId, 'bob')]
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  const cut = (one: Published): Promise<unknown> =>
    one.until(`log.some(([name, value]) => name === 'meeting-state-changed' && value?.state !== 'CONNECTED')`)
  const before = await ann.run('return log.length')
  server.killWorkers()
  await Promise.all([cut(ann), cut(bob)])
  await ann.until(
    `log.slice(${String(before)}).some(([name, value]) => name === 'meeting-state-changed' && value?.state === 'CONNECTED')`,
  )
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  assert.equal(await ann.run('return m.participants.size'), 1)
  assert.equal(await bob.run('return m.participants.size'), 1)
})

test('manual consuming, pausing and quality', async () => {
  const meetingId = await meeting()
  await inside(meetingId, 'ann', DIRECT, {}, 'as asked for')
  const bob = await inside(meetingId, 'bob', DIRECT, { autoConsume: false })
  await bob.until(`m.participants.get('ann')?.webcamOn`)
  assert.equal(await bob.run(`return m.participants.get('ann').streams.size`), 0)
  await bob.run(`await m.participants.get('ann').consumeWebcamStreams()`)
  await bob.logged('stream-enabled', `values[0] === 'ann' && values[1] === 'video'`)
  await bob.run(`await m.participants.get('ann').consumeMicStreams()`)
  await bob.logged('stream-enabled', `values[0] === 'ann' && values[1] === 'audio'`)
  await bob.run(`await m.participants.get('ann').setQuality('high')`)
  await bob.logged('video-quality-changed', `values[0] === 'ann'`)
  await bob.run(`const [stream] = [...m.participants.get('ann').streams.values()].filter(({ kind }) => kind === 'video')
    await stream.pause(); await stream.resume(); m.participants.get('ann').setViewPort(320, 180)`)
  await bob.run('await m.pauseAllStreams("video")')
  await bob.logged('paused-all-streams')
  await bob.run('await m.resumeAllStreams("video")')
  await bob.logged('resumed-all-streams')
  await bob.run(`await m.enableAdaptiveSubscription(); await m.disableAdaptiveSubscription()`)
  await bob.run(`await m.participants.get('ann').stopConsumingWebcamStreams()`)
  await bob.logged('stream-disabled', `values[0] === 'ann' && values[1] === 'video'`)
})

test('services that do not exist here are refused with 4021', async () => {
  const meetingId = await meeting()
  const ann = await inside(meetingId, 'ann', MODERATOR)
  assert.equal(await refusalOf(ann, 'startTranslation({})'), 4021)
})

/** Returns the code with which the app learns that a call was refused. */
async function refusalOf(one: Published, call: string): Promise<number> {
  await one.run(`last.error = last.caught = undefined; m.${call}.catch((error) => { last.caught = error })`)
  await one.until('(last.caught ?? last.error) !== undefined')
  return one.run<number>('return (last.caught ?? last.error).code')
}

test(
  'what leaves a meeting tells its states and its older events to the app, also to one that comes later',
  { skip: noOutputs },
  async () => {
    const meetingId = await meeting()
    const ann = await inside(meetingId, 'ann', MODERATOR)
    const livestream = `startLivestream([{ url: '${rtmp!.url}', streamKey: 'secret' }])`
    await ann.run('await m.startRecording(null, null, null, null)')
    await ann.run('await m.startHls()')
    await ann.run(`await m.${livestream}`)
    await ann.run('await m.startTranscription()')
    await ann.logged('transcription-text', `values[0].participantId === 'ann' && values[0].text === 'hello'`)
    await hearsThatAllStarted(ann)
    const bob = await inside(meetingId, 'bob')
    await hearsThatAllStarted(bob)
    assert.equal(await bob.run('return m.participants.size'), 1)

    for (const [call, code] of [
      ['startRecording()', 4011],
      ['startHls()', 4016],
      [livestream, 4013],
      ['startTranscription()', 4031],
    ] as const)
      assert.equal(await refusalOf(ann, call), code, call)
    assert.equal(await refusalOf(bob, 'stopRecording()'), 4008)

    for (const kind of ['Recording', 'Hls', 'Livestream', 'Transcription'])
      await ann.run(`await m.stop${kind}()`)
    for (const one of [ann, bob]) {
      for (const kind of ['recording', 'hls', 'livestream']) await one.logged(`${kind}-stopped`)
      for (const kind of KINDS) {
        await one.logged(`${kind}-state-changed`, `values[0].status === '${kind.toUpperCase()}_STOPPED'`)
        assert.equal(await one.run(`return m.${kind}State`), `${kind.toUpperCase()}_STOPPED`)
      }
      assert.equal(await one.run('return m.hlsUrls.playbackHlsUrl'), null)
    }
    const { body } = await server.rest('GET', `/v2/recordings?roomId=${meetingId}`)
    assert.ok(body.data[0].file.meta.duration > 0)
  },
)

const KINDS = ['recording', 'hls', 'livestream', 'transcription']

async function hearsThatAllStarted(one: Published): Promise<void> {
  await one.logged('recording-started')
  await one.logged('livestream-started')
  await one.logged('hls-started', `values[0].endsWith('/index.m3u8')`)
  for (const kind of KINDS)
    await one.logged(`${kind}-state-changed`, `values[0].status === '${kind.toUpperCase()}_STARTED'`)
  await one.logged('hls-state-changed', `values[0].status === 'HLS_PLAYABLE'`)
  const { playbackHlsUrl } = await one.run<{ playbackHlsUrl: string }>('return m.hlsUrls')
  assert.match(await (await fetch(playbackHlsUrl.replace(server.secureUrl, server.url))).text(), /^#EXTM3U/)
}

test('a whiteboard has one address for everybody, until it is stopped', async () => {
  const meetingId = await meeting()
  const [ann, bob] = [await inside(meetingId, 'ann', MODERATOR), await inside(meetingId, 'bob', DIRECT)]
  await ann.run('await m.startWhiteboard()')
  for (const one of [ann, bob]) await one.logged('whiteboard-started', `values[0].url.startsWith('https://')`)
  await ann.run('await m.stopWhiteboard()')
  for (const one of [ann, bob]) await one.logged('whiteboard-stopped')
})

test('media relay: requested, accepted, seen there, stopped', async () => {
  const [first, second] = [await meeting(), await meeting()]
  const [ann, carl] = [await inside(first, 'ann', MODERATOR), await inside(second, 'carl', MODERATOR)]
  await ann.run(`await m.requestMediaRelay({ destinationMeetingId: '${second}', token: '${token(DIRECT)}' })`)
  await carl.until(`last['media-relay-request-received']?.participantId === 'ann'`)
  await carl.run(`await last['media-relay-request-received'].accept()`)
  await ann.logged('media-relay-request-response')
  await ann.logged('media-relay-started')
  await carl.seesAndHears(1)
  await ann.run('await m.muteMic()')
  await carl.until(`!m.participants.get('ann').micOn`)
  await ann.run(`await m.stopMediaRelay('${second}')`)
  await carl.logged('participant-left', `values[0].id === 'ann' && values[1].code === 1004`)
  await ann.logged('media-relay-stopped')
})

test('only participants inside get a file, and it ends with the session', async () => {
  const meetingId = await meeting()
  const own = token(DIRECT)
  const ann = await window()
  await ann.inside(server.secureUrl, { token: own, meetingId, participantId: 'ann' })
  const base64Data = Buffer.from('<script>alert(1)</script>').toString('base64')
  const url = await ann.run<string>(
    `return m.uploadBase64File({ base64Data: '${base64Data}', token: '${own}', fileName: '../a page.html' })`,
  )
  assert.match(url, /\/files\//)
  assert.equal(await ann.run(`return m.fetchBase64File({ url: '${url}', token: '${own}' })`), base64Data)

  const at = url.replace(server.secureUrl, server.url)
  const get = (authorization: string) => fetch(at, { headers: { authorization } })
  assert.equal((await get('')).status, 401)
  assert.equal((await get(token(DIRECT))).status, 403)
  const given = await get(own)
  assert.equal(given.headers.get('content-type'), 'application/octet-stream')
  assert.match(given.headers.get('content-disposition')!, /^attachment; filename\*=UTF-8''a%20page\.html$/)
  assert.equal(given.headers.get('x-content-type-options'), 'nosniff')
  assert.match(given.headers.get('content-security-policy')!, /sandbox/)
  await ann.run('await m.leave()')
  assert.equal((await get(own)).status, 403)
})
