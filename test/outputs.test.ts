/** Outputs of a meeting, over the socket and over REST, with engines that the test controls. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join as pathOf } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { after, afterEach, before, test } from 'node:test'
import type { Outputs } from '../src/output/output.ts'
import type { RecordingConfig } from '../src/output/output.ts'
import { Refusal } from '../src/protocol/errors.ts'
import { HeldStore } from './support/held-store.ts'
import { aFile, playedEngines, type Played, type PlayedEngines } from './support/outputs.ts'
import { Receiver, type Hook } from './support/receiver.ts'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { eventually } from './support/sizes.ts'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

let server: TestServer
let engines: PlayedEngines
let receiver: Receiver
const store = new HeldStore()
before(async () => {
  engines = playedEngines()
  receiver = await Receiver.start()
  server = await TestServer.start(
    { webhookAllowPrivate: true, sessionGraceSeconds: 0 },
    { outputs: engines as unknown as Outputs, through: store.through },
  )
})
afterEach(() => {
  for (const engine of Object.values(engines)) {
    engine.refusal = undefined
    engine.unavailable = undefined
  }
})
after(async () => {
  for (const engine of Object.values(engines)) for (const played of engine.started) played.finish()
  await server.stop()
  receiver.stop()
})

const MODERATES = ['allow_join', 'allow_mod']

async function enters(
  meetingId: string,
  participantId: string,
  permissions = MODERATES,
): Promise<WireClient> {
  const client = server.connect({ token: server.token(permissions), meetingId, participantId })
  await client.join()
  return client
}

const refused = (code: number) => (error: unknown) => error instanceof WireError && error.code === code
const statusesOf = (client: WireClient, method: string): unknown[] =>
  client.heard.filter((one) => one.method === method).map(({ status }) => status)
const newest = (kind: keyof PlayedEngines): Played => engines[kind].started.at(-1)!
/** The webhooks about this meeting, of which the last is waited for. */
const hooksUntil = async (meetingId: string, last: string): Promise<Hook[]> => {
  const ofMeeting = (hooks: readonly Hook[]): Hook[] =>
    hooks.filter(({ body }) => body.data.meetingId === meetingId)
  return ofMeeting(
    await receiver.until((hooks) => ofMeeting(hooks).some(({ body }) => body.webhookType === last)),
  )
}
const typesOf = (hooks: readonly Hook[]): string[] => hooks.map(({ body }) => body.webhookType)
const isStatus = (status: string) => (heard: Record<string, unknown>) => heard.status === status

test('starting and stopping need allow_mod', async () => {
  const meetingId = await server.createMeeting()
  await enters(meetingId, 'host')
  const guest = await enters(meetingId, 'guest', ['allow_join'])
  for (const method of ['startRecording', 'stopRecording', 'startHls', 'stopHls', 'startTranscription'])
    await assert.rejects(guest.request(method, { config: {} }), refused(4008), method)
  const outputs = [{ url: 'rtmp://example.org/live', streamKey: 'k' }]
  await assert.rejects(guest.request('startLivestream', { outputs }), refused(4008))
  const joins = server.token(['allow_join'])
  for (const path of ['start', 'end'])
    assert.equal(
      (await server.rest('POST', `/v2/recordings/${path}`, { roomId: meetingId }, joins)).status,
      403,
    )
})

test('refused without effect: no engine, a limit, no targets, nothing to stop, no session', async () => {
  const meetingId = await server.createMeeting()
  const before = await server.rest('POST', '/v2/recordings/start', { roomId: meetingId })
  assert.equal(before.status, 404)
  const host = await enters(meetingId, 'host')
  engines.recording.unavailable = 'Chromium is missing: install it.'
  await assert.rejects(
    host.request('startRecording', {}),
    (error) => refused(4021)(error) && (error as Error).message.includes('Chromium is missing'),
  )
  engines.recording.unavailable = undefined
  engines.hls.unavailable = 'Chromium is missing: install it.'
  const { recordings } = (await server.rest('GET', '/health')).body
  assert.deepEqual(recordings, { available: false, reason: 'Chromium is missing: install it.' })
  engines.recording.refusal = new Refusal('RECORDING_LIMIT')
  await assert.rejects(host.request('startRecording', {}), refused(4028))
  for (const outputs of [undefined, [], {}, [{ url: 'https://example.org' }], [{ streamKey: 'k' }]])
    await assert.rejects(host.request('startLivestream', { outputs }), refused(4015))
  for (const [method, code] of [
    ['stopRecording', 4012],
    ['stopLivestream', 4014],
    ['stopHls', 4017],
    ['stopTranscription', 4032],
  ] as const)
    await assert.rejects(host.request(method, {}), refused(code), method)
  assert.equal((await server.rest('POST', '/v2/recordings/end', { roomId: meetingId })).status, 409)
  assert.deepEqual(statusesOf(host, 'recordingStateChanged'), [])
  const { body } = await server.rest('GET', `/v2/recordings?roomId=${meetingId}`)
  assert.equal(body.pageInfo.total, 0)
})

test('a recording: acknowledged, reported in order to all and to latecomers, one at a time, and available as a file', async () => {
  const meetingId = await server.createMeeting({
    webhook: { endPoint: receiver.url, events: ['recording-*'] },
  })
  const [host, guest] = [await enters(meetingId, 'host'), await enters(meetingId, 'guest', ['allow_join'])]
  await host.request('startRecording', { webhookUrl: null, awsDirPath: null, config: null })
  await guest.hears('recordingStateChanged', isStatus('RECORDING_STARTING'))
  await assert.rejects(host.request('startRecording', {}), refused(4011))
  newest('recording').listener.started()
  for (const one of [host, guest]) {
    await one.hears('recordingStarted')
    assert.deepEqual(statusesOf(one, 'recordingStateChanged'), ['RECORDING_STARTING', 'RECORDING_STARTED'])
  }
  const late = await enters(meetingId, 'late', ['allow_join'])
  await late.hears('recordingStarted')
  assert.deepEqual(statusesOf(late, 'recordingStateChanged'), ['RECORDING_STARTED'])
  await assert.rejects(host.request('startRecording', {}), refused(4011))

  const { outputId, folder } = newest('recording').order
  const going = await server.rest('GET', `/v2/recordings/${outputId}`)
  assert.deepEqual([going.body.id, going.body.end, going.body.file], [outputId, null, null])
  assert.equal((await server.rest('DELETE', `/v2/recordings/${outputId}`)).status, 409)

  await host.request('stopRecording', {})
  await guest.hears('recordingStateChanged', isStatus('RECORDING_STOPPING'))
  await assert.rejects(host.request('startRecording', {}), refused(4018))
  await assert.rejects(host.request('stopRecording', {}), refused(4012))
  writeFileSync(pathOf(folder, 'recording.mp4'), 'the bytes of it')
  newest('recording').finish([{ ...aFile(), size: 15, meta: { duration: 3 } }])
  for (const one of [host, guest, late]) {
    await one.hears('recordingStopped')
    await one.hears('recordingStateChanged', isStatus('RECORDING_STOPPED'))
  }

  const { body } = await server.rest('GET', `/v2/recordings?roomId=${meetingId}`)
  assert.deepEqual([body.pageInfo.total, body.data[0].id], [1, outputId])
  const { file, end } = body.data[0]
  assert.ok(end !== null && file.size === 15 && file.fileUrl.startsWith(`${server.url}/outputs/`))
  const whole = await fetch(file.fileUrl)
  assert.deepEqual([whole.status, await whole.text()], [200, 'the bytes of it'])
  assert.equal(whole.headers.get('content-type'), 'video/mp4')
  assert.equal(whole.headers.get('access-control-allow-origin'), '*')
  const part = await fetch(file.fileUrl, { headers: { range: 'bytes=4-8' } })
  assert.deepEqual([part.status, await part.text()], [206, 'bytes'])
  assert.equal((await fetch(file.fileUrl, { headers: { range: 'bytes=99-' } })).status, 416)

  const told = await hooksUntil(meetingId, 'recording-stopped')
  assert.deepEqual(typesOf(told), [
    'recording-starting',
    'recording-started',
    'recording-stopping',
    'recording-stopped',
  ])
  assert.equal((await fetch(told[3]!.body.data.fileUrl)).status, 200)

  for (const wrong of [
    file.fileUrl.replace('recording.mp4', 'other.mp4'),
    file.fileUrl.replace(/[^/]+\/recording/, 'guess/recording'),
    file.fileUrl.replace('recording.mp4', '..%2F..%2Fadmin-key'),
    file.fileUrl.replace('recording.mp4', '.hidden.mp4'),
  ])
    assert.equal((await fetch(wrong)).status, 404, wrong)
  writeFileSync(pathOf(folder, 'recording.mkv'), 'raw')
  const raw = await fetch(file.fileUrl.replace('.mp4', '.mkv'))
  assert.equal(raw.headers.get('content-type'), 'video/x-matroska')
  const other = server.token(['allow_join'], { roomId: await server.createMeeting() })
  assert.equal((await server.rest('GET', `/v2/recordings/${outputId}`, undefined, other)).status, 403)

  const deleted = await server.rest('DELETE', `/v2/recordings/${outputId}`)
  assert.deepEqual(deleted, { status: 200, body: 'Room recording deleted successfully' })
  assert.equal((await fetch(file.fileUrl)).status, 404)
  assert.equal((await server.rest('GET', `/v2/recordings/${outputId}`)).status, 404)
})

test('reports of an engine before the start is saved are saved and sent after it', async () => {
  const webhook = { endPoint: receiver.url, events: ['recording-*'] }
  const meetingId = await server.createMeeting({ webhook })
  const host = await enters(meetingId, 'host')
  store.hold()
  const asked = host.request('startRecording', {})
  await store.more(0)
  newest('recording').listener.started()
  store.release()
  await asked
  await host.hears('recordingStarted')
  assert.deepEqual(statusesOf(host, 'recordingStateChanged'), ['RECORDING_STARTING', 'RECORDING_STARTED'])
  assert.deepEqual(typesOf(await hooksUntil(meetingId, 'recording-started')), [
    'recording-starting',
    'recording-started',
  ])
  newest('recording').finish()
  await host.request('stopRecording', {})
  await host.hears('recordingStopped')
})

test('a session that ends while the start is saved leaves nothing running', async () => {
  const meetingId = await server.createMeeting()
  const host = await enters(meetingId, 'host')
  store.hold()
  const asked = host.request('startRecording', {}).catch(() => undefined)
  await store.more(0)
  const { order, finish } = newest('recording')
  const ended = server.sessionEnded(meetingId)
  host.close()
  // Its leave and its end wait for the store too.
  await store.more(1)
  store.release()
  await Promise.all([asked, ended])
  finish([aFile()])
  for (;;) {
    const { body } = await server.rest('GET', `/v2/recordings/${order.outputId}`)
    if (body.end !== null) break
  }
  assert.deepEqual(await server.meetings.outputs(meetingId), [])
})

test('a start that the store refuses leaves nothing, and a second start succeeds', async () => {
  const meetingId = await server.createMeeting()
  const host = await enters(meetingId, 'host')
  store.failNext('outputs', 'create')
  await assert.rejects(host.request('startRecording', {}), refused(5000))
  const undone = newest('recording')
  assert.equal(undone.stopped, true)
  undone.finish()
  while (existsSync(undone.order.folder)) await setImmediate()
  await host.request('startRecording', {})
  newest('recording').finish()
  await host.request('stopRecording', {})
  await host.hears('recordingStopped')
})

test('the webhookUrl of an output gets only its events, and an invalid one is refused', async () => {
  const meetingId = await server.createMeeting()
  const host = await enters(meetingId, 'host')
  for (const webhookUrl of ['ftp://app.example.org/hook', 'nowhere', 'http://user:word@app.example.org/'])
    await assert.rejects(
      host.request('startRecording', { webhookUrl }),
      (error) => error instanceof WireError && error.errorName === 'INVALID_REQUEST',
      webhookUrl,
    )
  await host.request('startRecording', { webhookUrl: receiver.url })
  newest('recording').finish([aFile()])
  await host.request('stopRecording', {})
  await host.hears('recordingStopped')
  assert.deepEqual(typesOf(await hooksUntil(meetingId, 'recording-stopped')), [
    'recording-starting',
    'recording-stopping',
    'recording-stopped',
  ])
  const { outputId } = newest('recording').order
  const webhookOf = async () => (await server.rest('GET', `/v2/recordings/${outputId}`)).body.webhook
  await eventually('all three accepted', async () => (await webhookOf()).successCount === 3)
  assert.deepEqual(await webhookOf(), {
    totalCount: 3,
    successCount: 3,
    data: ['starting', 'stopping', 'stopped'].map((phase) => ({
      type: `recording-${phase}`,
      success: true,
    })),
  })
  const { body } = await server.rest('GET', `/v2/recordings?roomId=${meetingId}`)
  assert.equal(body.data[0].webhook.totalCount, 3, 'in the list too')
})

/** Over the socket: how each is started, and what it is called. */
const socketKinds = [
  {
    kind: 'recording',
    start: ['startRecording', {}],
    stop: 'stopRecording',
    state: ['recordingStateChanged', 'RECORDING'],
    legacy: 'recording',
    refusals: { again: 4011, processing: 4018, limit: ['RECORDING_LIMIT', 4028], died: 5001 },
    list: ['/v2/recordings', 'data'],
  },
  {
    kind: 'livestream',
    start: ['startLivestream', { outputs: [{ url: 'rtmp://example.org/live', streamKey: 'k' }] }],
    stop: 'stopLivestream',
    state: ['livestreamStateChanged', 'LIVESTREAM'],
    legacy: 'livestream',
    refusals: { again: 4013, processing: 4019, limit: ['LIVESTREAM_LIMIT', 4030], died: 5002 },
    list: ['/v2/livestreams', 'data'],
  },
  {
    kind: 'hls',
    start: ['startHls', { config: {}, transcription: {} }],
    stop: 'stopHls',
    state: ['hlsStateChanged', 'HLS'],
    legacy: 'hls',
    refusals: { again: 4016, processing: 4020, limit: ['HLS_LIMIT', 4029], died: 5003 },
    list: ['/v2/hls', 'data'],
  },
  {
    kind: 'transcription',
    start: ['startTranscription', {}],
    stop: 'stopTranscription',
    state: ['transcriptionStateChanged', 'TRANSCRIPTION'],
    legacy: undefined,
    refusals: { again: 4031, processing: 4031, limit: undefined, died: 5007 },
    list: ['/ai/v1/realtime-transcriptions', 'transcriptions'],
  },
] as const

for (const { kind, start, stop, state, legacy, refusals, list } of socketKinds)
  test(`${kind}: its refusals while one runs and while one is finished, and how it is told that one died`, async () => {
    const meetingId = await server.createMeeting({
      webhook: { endPoint: receiver.url, events: [`${kind}-*`] },
    })
    const [host, other] = [await enters(meetingId, 'host'), await enters(meetingId, 'other')]
    const begin = () => host.request(start[0], start[1])
    if (refusals.limit) {
      const [name, code] = refusals.limit
      engines[kind].refusal = new Refusal(name)
      await assert.rejects(begin(), refused(code))
      engines[kind].refusal = undefined
    }
    await begin()
    newest(kind).listener.started()
    await other.hears(state[0], isStatus(`${state[1]}_STARTED`))
    await assert.rejects(begin(), refused(refusals.again))
    await host.request(stop, {})
    await other.hears(state[0], isStatus(`${state[1]}_STOPPING`))
    await assert.rejects(begin(), refused(refusals.processing))
    newest(kind).finish()
    await other.hears(state[0], isStatus(`${state[1]}_STOPPED`))

    await begin()
    const { listener, order } = newest(kind)
    listener.started()
    await eventually('it has started again', () =>
      Promise.resolve(
        statusesOf(other, state[0]).filter((one) => one === `${state[1]}_STARTED`).length === 2,
      ),
    )
    const from = other.heard.length
    listener.ended({ reason: 'failed', message: 'It died.' }, [])
    await eventually('all is told', () =>
      Promise.resolve(other.heard.slice(from).some(({ status }) => status === `${state[1]}_STOPPED`)),
    )
    if (legacy)
      await eventually('the legacy notification', () =>
        Promise.resolve(other.heard.slice(from).some(({ method }) => method === `${legacy}Stopped`)),
      )
    const told = other.heard.slice(from)
    assert.deepEqual([told[0]!.method, told[0]!.code], ['error', refusals.died], 'first why')
    await hooksUntil(meetingId, `${kind}-failed`)
    const [path, key] = list
    const { body } = await server.rest('GET', `${path}?roomId=${meetingId}`)
    const row = body[key].find(({ id }: any) => id === order.outputId)
    assert.equal(typeof row.end, 'string', 'it has ended over REST too')
  })

test('two starts at once: one succeeds', async () => {
  const meetingId = await server.createMeeting()
  const clients = await Promise.all(['a', 'b', 'c', 'd'].map((id) => enters(meetingId, id)))
  const before = engines.recording.started.length
  const starts = await Promise.allSettled(clients.map((one) => one.request('startRecording', {})))
  assert.equal(starts.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal(engines.recording.started.length, before + 1)
  newest('recording').finish()
  await clients[0]!.request('stopRecording', {})
  await clients[1]!.hears('recordingStopped')
})

test('HLS: its addresses come with its start, and a notification when it can be played', async () => {
  const webhook = { endPoint: receiver.url, events: ['hls-*'] }
  const meetingId = await server.createMeeting({ webhook })
  const host = await enters(meetingId, 'host')
  await host.request('startHls', { config: {}, transcription: {} })
  const { listener } = newest('hls')
  listener.started()
  const started = await host.hears('hlsStateChanged', isStatus('HLS_STARTED'))
  assert.match(String(started.playbackHlsUrl), /\/outputs\/[0-9a-f]{24}\/[^/]+\/index\.m3u8$/)
  assert.match(String(started.livestreamUrl), /live\.m3u8$/)
  assert.equal((await host.hears('hlsStarted')).downstreamUrl, started.playbackHlsUrl)
  listener.playable()
  assert.equal((await host.hears('hlsPlayableStateChanged')).isPlayable, true)
  const late = await enters(meetingId, 'late')
  assert.equal((await late.hears('hlsPlayableStateChanged')).playbackHlsUrl, started.playbackHlsUrl)
  newest('hls').finish()
  await host.request('stopHls', {})
  await late.hears('hlsStopped')
  assert.deepEqual(typesOf(await hooksUntil(meetingId, 'hls-stopped')), [
    'hls-starting',
    'hls-started',
    'hls-playable',
    'hls-stopping',
    'hls-stopped',
  ])
})

test('a livestream and a transcription use their own names in notifications', async () => {
  const meetingId = await server.createMeeting()
  const host = await enters(meetingId, 'host')
  const outputs = [{ url: 'rtmp://example.org/live', streamKey: 'a-secret-key' }]
  await host.request('startLivestream', { outputs, config: { layout: { type: 'GRID' } } })
  newest('livestream').listener.started()
  await host.hears('livestreamStarted')
  await host.request('startTranscription', { config: { language: 'en' } })
  const { listener, order } = newest('transcription')
  listener.started()
  const told = await host.hears('transcriptionStateChanged', isStatus('TRANSCRIPTION_STARTED'))
  assert.equal(told.id, order.outputId)
  listener.transcribed({
    id: '1',
    participantId: 'host',
    participantName: 'host',
    text: 'hello',
    timestamp: 5,
    type: 'final',
  })
  assert.equal((await host.hears('transcriptionText')).text, 'hello')
  newest('livestream').finish()
  newest('transcription').finish()
  await host.request('stopLivestream', {})
  await host.request('stopTranscription', {})
  await host.hears('livestreamStopped')
  await host.hears('transcriptionStateChanged', isStatus('TRANSCRIPTION_STOPPED'))
})

test('an output that fails is reported as an error and as stopped, with its files', async () => {
  const meetingId = await server.createMeeting()
  const host = await enters(meetingId, 'host')
  await host.request('startRecording', {})
  newest('recording').listener.started()
  await host.hears('recordingStarted')
  newest('recording').listener.ended({ reason: 'disk-full', message: 'The disk is full.' }, [aFile()])
  assert.equal((await host.hears('error', ({ code }) => code === 5001)).message, 'The disk is full.')
  await host.hears('recordingStopped')
  const { body } = await server.rest('GET', `/v2/recordings?roomId=${meetingId}`)
  assert.ok(body.data[0].file)
  await host.request('startRecording', {})
  newest('recording').finish()
  await host.request('stopRecording', {})
})

test('a recording that cannot be kept up ends the meeting, where its starter asked for that', async () => {
  for (const [onFailure, ends] of [
    [{ action: 'close-room', waitTime: 20 }, true],
    [undefined, false],
  ] as const) {
    const meetingId = await server.createMeeting()
    const host = await enters(meetingId, 'host')
    const { status } = await server.rest('POST', '/v2/recordings/start', { roomId: meetingId, onFailure })
    assert.equal(status, 200)
    const { order, listener } = newest('recording')
    assert.equal((order.config as RecordingConfig).patienceMs, ends ? 20_000 : undefined)
    const over = server.sessionEnded(meetingId).then(() => true)
    await host.hears('recordingStateChanged', isStatus('RECORDING_STARTING'))
    listener.ended({ reason: 'failed', message: 'The browser died.' }, [])
    await host.hears('error', ({ code }) => code === 5001)
    if (ends) assert.ok(await over)
    else await host.request('startRecording', {})
    const { body } = await server.rest('GET', `/v2/recordings?roomId=${meetingId}`)
    assert.equal(body.data.at(-1).file, null)
    host.close()
  }
  for (const onFailure of [{ action: 'call-me' }, { action: 'close-room', waitTime: 151 }, {}]) {
    const { status } = await server.rest('POST', '/v2/recordings/start', { roomId: 'room', onFailure })
    assert.equal(status, 400, JSON.stringify(onFailure))
  }
})

test('a recording is uploaded to no address inside, and to none that is not of HTTP', async () => {
  const meetingId = await server.createMeeting()
  const host = await enters(meetingId, 'host')
  const before = engines.recording.started.length
  const start = (preSignedUrl: string | null) =>
    server.rest('POST', '/v2/recordings/start', { roomId: meetingId, preSignedUrl })
  for (const [address, says] of [
    ['https://127.0.0.1/put?signature=secret', /must not be a private address/],
    ['http://[::1]/put?signature=secret', /must not be a private address/],
    ['https://localhost/put?signature=secret', /must not be a private address/],
    ['file:///etc/secret', /must be an http or https address/],
    ['https://me:secret@files.example.org/put', /without credentials/],
  ] as const) {
    const { status, body } = await start(address)
    assert.deepEqual([status, body.code, engines.recording.started.length], [400, 'INVALID_REQUEST', before])
    assert.match(body.message, says)
    assert.doesNotMatch(body.message, /secret/)
  }
  assert.equal((await start(null)).status, 200, 'null asks for nothing')
  newest('recording').finish()
  await host.request('stopRecording', {})
})

test('the end of the session ends it, and nothing keeps the session alive', async () => {
  const meetingId = await server.createMeeting({
    webhook: { endPoint: receiver.url, events: ['recording-stopped'] },
  })
  const host = await enters(meetingId, 'host')
  await host.request('startRecording', {})
  const { listener } = newest('recording')
  listener.started()
  await host.hears('recordingStarted')
  const ended = server.sessionEnded(meetingId)
  host.close()
  await ended
  assert.equal(newest('recording').stopped, true)
  newest('recording').finish([aFile()])
  await receiver.until((hooks) => hooks.some(({ body }) => body.data.meetingId === meetingId))
})

test('encrypted media cannot be recorded', async () => {
  const meetingId = await server.createMeeting()
  const host = await enters(meetingId, 'host')
  await host.request('produce', {
    transportId: host.transports.send,
    kind: 'audio',
    rtpParameters: sampleRtpParameters('audio'),
    appData: { isEncrypted: true },
  })
  await assert.rejects(host.request('startRecording', {}), refused(4011))
})

test('nothing leaves a meeting that must be encrypted', async () => {
  const meetingId = await server.createMeeting({ encryption: 'required' })
  const host = await enters(meetingId, 'host')
  for (const [method, code, data] of [
    ['startRecording', 4011, {}],
    ['startHls', 4016, {}],
    ['startLivestream', 4013, { outputs: [{ url: 'rtmp://192.0.2.1/live', streamKey: 'key' }] }],
    ['startTranscription', 4031, {}],
  ] as const)
    await assert.rejects(
      host.request(method, data),
      (error) => refused(code)(error) && String(error).includes('encrypt'),
      method,
    )
})

test('a recording page is invisible, is not counted, and has no permissions', async () => {
  const meetingId = await server.createMeeting({ allowedParticipantIds: ['host', 'guest', 'late'] })
  const [host, guest] = [await enters(meetingId, 'host'), await enters(meetingId, 'guest')]
  await host.request('startRecording', {})
  const { source } = newest('recording').order
  const seat = await source.openSeat('Recorder')
  // Its token admits nobody else, under any id.
  const token = server.token(['allow_join'])
  const page = server.connect({ token, meetingId, participantId: seat.participantId })
  const { peers } = await page.join()
  assert.deepEqual(peers.map(({ id }: { id: string }) => id).sort(), ['guest', 'host'])
  await page.hears('recordingStateChanged', isStatus('RECORDING_STARTING'))
  const { body } = await server.rest('GET', `/v2/rooms/${meetingId}/live`)
  assert.deepEqual(body.participants.map((one: any) => one.participantId).sort(), ['guest', 'host'])
  await assert.rejects(page.request('changeMode', { mode: 'SEND_AND_RECV' }), WireError)
  await assert.rejects(page.request('removePeer', { peerId: 'guest' }), refused(4008))
  await page.request('changeDisplayName', { displayName: 'Somebody' })
  const late = server.connect({ token, meetingId, participantId: 'late' })
  const seen = await late.join()
  assert.deepEqual(seen.peers.map(({ id }: { id: string }) => id).sort(), ['guest', 'host'])
  seat.close()
  await page.hears('close')
  assert.deepEqual(
    [host, guest].flatMap(({ heard }) =>
      heard.filter((one) => JSON.stringify(one).includes(seat.participantId)),
    ),
    [],
  )
  const sessionId = source.sessionId
  const all = await server.rest('GET', `/v2/sessions/${sessionId}/participants`)
  assert.equal(JSON.stringify(all.body).includes(seat.participantId), false)
  const again = server.connect({ token, meetingId, participantId: seat.participantId })
  await again.hears('error', ({ code }) => code === 4023)
  newest('recording').finish()
})

test('the next start completes the outputs of a killed server', async () => {
  const meetingId = await server.createMeeting()
  const host = await enters(meetingId, 'host')
  await host.request('startRecording', {})
  const { outputId } = newest('recording').order
  newest('recording').listener.started()
  await host.hears('recordingStarted')
  // The engine never answers, so the stop of the server leaves the output unfinished, as a kill does.
  await server.restart()
  assert.ok(engines.recording.recovered.includes(outputId))
  for (;;) {
    const { body } = await server.rest('GET', `/v2/recordings/${outputId}`)
    if (body.end !== null) {
      assert.ok(body.file)
      break
    }
  }
})

test("the outputs in a meeting's settings start with each session, once, without anybody's permission", async () => {
  const meetingId = await server.createMeeting({
    autoStartConfig: {
      recording: { config: { layout: { type: 'SPOTLIGHT' } } },
      hls: {},
      composite: {
        participants: [{ participantId: 'guest', kind: 'audio' }],
        watermarks: [{ type: 'custom', text: 'Ours' }],
        fileFormat: 'webm',
      },
    },
  })
  const count = (): number[] =>
    (['recording', 'hls', 'composite'] as const).map((kind) => engines[kind].started.length)
  const before = count()
  const guest = await enters(meetingId, 'guest', ['allow_join'])
  await guest.hears('recordingStateChanged', isStatus('RECORDING_STARTING'))
  await guest.hears('hlsStateChanged', isStatus('HLS_STARTING'))
  await enters(meetingId, 'second', ['allow_join'])
  assert.deepEqual(
    count(),
    before.map((count) => count + 1),
  )
  assert.deepEqual(newest('composite').order.config, {
    participants: [{ participantId: 'guest', kinds: ['audio'] }],
    marks: [{ type: 'text', text: 'Ours' }],
    fileFormat: 'webm',
  })
  const { layout } = newest('recording').order.config as { layout: { type: string } }
  assert.equal(layout.type, 'SPOTLIGHT')
  newest('recording').finish()
  newest('hls').finish()
  newest('composite').finish()
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`own-${at}`, at]))
  const marked = (watermark: object) => ({ composite: { watermarks: [watermark] } })
  for (const autoStartConfig of [
    { recording: { config: 'x' } },
    { composite: { fileFormat: 'avi' } },
    // An address may lead nowhere when the session begins.
    marked({ type: 'custom', imageUrl: 'https://example.org/logo.png' }),
    marked({ type: 'custom', imageBase64: 'bm8gaW1hZ2U=' }),
    marked({ type: 'pubsub' }),
    many,
  ])
    assert.equal((await server.rest('POST', '/v2/rooms', { autoStartConfig })).status, 400)
  const composite = { composite: { fileFormat: 'mp4' } }
  assert.equal((await server.rest('POST', '/v2/rooms', { autoStartConfig: composite })).status, 200)
})
