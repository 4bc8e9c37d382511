/**
 * A backend records participants over REST: published clients send, and the files are downloaded, decoded and examined.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as passes } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { findFfmpeg } from '../scripts/ffmpeg.mjs'
import { colourAt } from './support/media-file.ts'
import { launchBrowser } from './support/browser.ts'
import { AppServer, Published } from './support/published.ts'
import { Receiver, type Hook } from './support/receiver.ts'
import { brightness, decodeErrors, probe, loudest } from './support/recorded-media.ts'
import { near } from './support/recording-bench.ts'
import { RealServer } from './support/real-server.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

const skip = !findFfmpeg() && 'there is no ffmpeg'

let browser: Browser
let app: AppServer
let server: RealServer
let receiver: Receiver
let folder: string
before(async () => {
  if (skip) return
  folder = await mkdtemp(join(tmpdir(), 'anteroom-recorded-'))
  ;[browser, app, server, receiver] = await Promise.all([
    launchBrowser(['--ignore-certificate-errors']),
    AppServer.start(),
    RealServer.start({ WEBHOOK_ALLOW_PRIVATE: 'true' }),
    Receiver.start(),
  ])
})
after(async () => {
  if (skip) return
  await browser.close()
  app.stop()
  receiver.stop()
  await server.stop()
  await rm(folder, { recursive: true })
})

async function enters(meetingId: string, participantId: string, sends: boolean): Promise<Published> {
  const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
  const one = await Published.at(browser, app)
  const devices = { micEnabled: sends, webcamEnabled: sends }
  return one.inside(server.secureUrl, { token, meetingId, participantId, name: participantId, ...devices })
}

async function ask(method: string, path: string, body?: object): Promise<any> {
  const answer = await server.rest(method, path, body)
  assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

/** Returns the webhook about a recording of this meeting. */
function told(event: string, roomId: string): Promise<Hook> {
  const is = ({ body }: Hook): boolean => body.webhookType === event && body.data.meetingId === roomId
  return receiver.until((hooks) => hooks.some(is)).then((hooks) => hooks.find(is)!)
}

/** Downloads a file in two ranges, as players do. */
async function fetched(fileUrl: string, name: string): Promise<string> {
  const piece = async (range: string): Promise<Response> => {
    const answer = await fetch(fileUrl, { headers: { range } })
    assert.equal(answer.status, 206)
    return answer
  }
  const first = await piece('bytes=0-999')
  const total = Number(first.headers.get('content-range')?.split('/')[1])
  const rest = await piece(`bytes=1000-${total - 1}`)
  const path = join(folder, name)
  await writeFile(
    path,
    Buffer.concat([Buffer.from(await first.arrayBuffer()), Buffer.from(await rest.arrayBuffer())]),
  )
  return path
}

test(
  'who is not there cannot be recorded, nobody is recorded twice, and stopping needs a recording',
  { skip },
  async () => {
    const roomId = await server.createMeeting()
    const start = (body: object) =>
      server.rest('POST', '/v2/recordings/participant/start', { roomId, ...body })
    const stop = () =>
      server.rest('POST', '/v2/recordings/participant/stop', { roomId, participantId: 'ann' })
    assert.equal((await start({ participantId: 'ann' })).status, 404)
    const ann = await enters(roomId, 'ann', false)
    assert.equal((await start({ participantId: 'ben' })).status, 404)
    assert.equal((await start({ participantId: 'ann', fileFormat: 'avi' })).status, 400)
    const [track, mp3] = ['/v2/recordings/participant/track/start', { kind: 'video', fileFormat: 'mp3' }]
    assert.equal((await server.rest('POST', track, { roomId, participantId: 'ann', ...mp3 })).status, 400)
    assert.equal((await stop()).status, 409)
    assert.equal((await start({ participantId: 'ann' })).status, 200)
    const again = await start({ participantId: 'ann' })
    assert.deepEqual([again.status, again.body.code], [409, 'START_PARTICIPANT_RECORDING_FAILED'])
    assert.equal((await stop()).status, 200)
    await ann.context.close()
  },
)

test(
  'a participant and a track are recorded while the microphone and the camera go off and on',
  { skip },
  async () => {
    const roomId = await server.createMeeting()
    const ann = await enters(roomId, 'ann', true)
    const ben = await enters(roomId, 'ben', false)
    await ben.until(
      `['audio', 'video'].every((kind) => [...m.participants.get('ann').streams.values()].some((one) => one.kind === kind))`,
    )

    const whom = { roomId, participantId: 'ann' }
    const startedAt = Date.now()
    const texts = [
      await ask('POST', '/v2/recordings/participant/start', { ...whom, webhookUrl: receiver.url }),
      await ask('POST', '/v2/recordings/participant/track/start', {
        ...whom,
        kind: 'audio',
        webhookUrl: receiver.url,
      }),
    ]
    assert.deepEqual(texts, [
      'participant recording started successfully.',
      'track recording started successfully.',
    ])
    await told('participant-recording-started', roomId)
    const [running] = (await ask('GET', `/v2/recordings/participant?roomId=${roomId}`)).data
    assert.deepEqual(
      [running.participantId, running.participantName, running.end, running.files],
      ['ann', 'ann', null, []],
    )

    // Lets the recording run.
    await passes(4000)
    await ann.run('await m.muteMic(); await m.disableWebcam()')
    const offAt = Date.now()
    await passes(4000)
    const onAt = Date.now()
    await ann.run('await m.unmuteMic(); await m.enableWebcam()')
    await ben.until(
      `['audio', 'video'].every((kind) => [...m.participants.get('ann').streams.values()].some((one) => one.kind === kind))`,
    )
    await passes(4000)
    const stoppedAt = Date.now()
    await ask('POST', '/v2/recordings/participant/stop', whom)
    await ask('POST', '/v2/recordings/participant/track/stop', { ...whom, kind: 'audio' })

    const { body } = await told('participant-recording-stopped', roomId)
    const [recording, ...more] = (await ask('GET', `/v2/recordings/participant?roomId=${roomId}`)).data
    assert.deepEqual([more.length, recording.files.length, typeof recording.end], [0, 1, 'string'])
    assert.deepEqual(
      body.data.fileDetails.map(({ fileUrl }: any) => fileUrl),
      recording.files.map(({ fileUrl }: any) => fileUrl),
    )
    const path = await fetched(recording.files[0].fileUrl, 'participant.webm')
    const { duration, streams } = probe(path)
    near(duration, (stoppedAt - startedAt) / 1000, 0.5, 'duration')
    assert.deepEqual([streams.video?.codec, streams.audio?.codec], ['vp8', 'opus'])
    assert.equal(decodeErrors(path), '')
    const from = (offAt - startedAt) / 1000 + 0.5
    const to = (onAt - startedAt) / 1000
    const seen = brightness(path)
    const dark = seen.filter(({ time }) => time > from && time < to)
    assert.ok(dark.length >= 2 && dark.every(({ luma }) => luma < 20), 'black while the camera was off')
    const bright = seen.filter(({ time, luma }) => (time < from - 1 || time > to + 2) && luma > 30)
    assert.ok(bright.length > 20, `${bright.length} pictures while it was on`)
    // The fake microphone beeps every second.
    for (const [start, end] of [
      [0, from],
      [to + 1, duration],
    ] as const)
      assert.ok(loudest(path, start, end) > -40, `${loudest(path, start, end)} dB from ${start} to ${end}`)
    assert.ok(loudest(path, from, to) < -80, `${loudest(path, from, to)} dB while it was off`)

    await told('participant-track-recording-stopped', roomId)
    const [track] = (await ask('GET', `/v2/recordings/participant/track?roomId=${roomId}&participantId=ann`))
      .data
    assert.deepEqual([track.kind, track.files.length], ['audio', 2])
    for (const [at, file] of track.files.entries()) {
      const piece = await fetched(file.fileUrl, `track-${at}.webm`)
      assert.deepEqual(Object.keys(probe(piece).streams), ['audio'])
      near(probe(piece).duration, 4, 1.5, 'duration')
      assert.equal(decodeErrors(piece), '')
    }

    assert.equal((await ask('GET', `/v2/recordings/participant/${recording.id}`)).id, recording.id)
    assert.match(await ask('DELETE', `/v2/recordings/participant/${recording.id}`), /deleted/)
    assert.equal((await fetch(recording.files[0].fileUrl)).status, 404)
    await Promise.all([ann.context.close(), ben.context.close()])
  },
)

test('the next start completes the recordings of a killed server', { skip }, async () => {
  const roomId = await server.createMeeting()
  const ann = await enters(roomId, 'ann', true)
  await ask('POST', '/v2/recordings/participant/start', {
    roomId,
    participantId: 'ann',
    webhookUrl: receiver.url,
  })
  await told('participant-recording-started', roomId)
  await passes(4000)
  await server.end('SIGKILL')
  await server.run()
  await told('participant-recording-stopped', roomId)
  const [recording] = (await ask('GET', `/v2/recordings/participant?roomId=${roomId}`)).data
  const path = await fetched(recording.files[0].fileUrl, 'killed.webm')
  const { duration, streams } = probe(path)
  // The last second may be missing.
  assert.ok(duration > 2, `${duration} s`)
  assert.ok(streams.video!.frames > 5 && streams.audio!.frames > 80)
  assert.equal(decodeErrors(path), '')
  await ann.context.close()
})

test('what a composite cannot be is refused, and starts nothing', { skip }, async () => {
  const roomId = await server.createMeeting()
  const start = (body: object = {}) =>
    server.rest('POST', '/v2/recordings/composite/start', { roomId, ...body })
  assert.deepEqual((await start()).body.code, 'NOT_FOUND', 'without a session')
  const ann = await enters(roomId, 'ann', false)
  const mark = (watermark: object) => ({ watermarks: [watermark] })
  for (const [body, says] of [
    [{ participants: [] }, /./],
    [{ participants: [{ participantId: 'ann', kind: 'smell' }] }, /./],
    [{ fileFormat: 'mp3' }, /./],
    [{ bucketDirPath: '../up' }, /bucketDirPath/],
    [{ preSignedURL: 'http://127.0.0.1/put' }, /must not be a private address/],
    [mark({ type: 'pubsub' }), /needs topic/],
    [mark({ type: 'custom' }), /needs imageUrl/],
    [mark({ type: 'custom', timezone: 'Mars/Olympus' }), /timezone/],
    [mark({ type: 'custom', imageBase64: 'I2V4dG0zdQ==' }), /PNG, JPEG or WebP/],
    [mark({ type: 'custom', imageUrl: 'file:///etc/passwd' }), /http or https/],
  ] as const) {
    const answer = await start(body)
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.match(answer.body.message, says)
  }
  assert.equal((await ask('GET', `/v2/recordings/composite?roomId=${roomId}`)).data.length, 0)
  const { recordingId } = await ask('POST', '/v2/recordings/composite/start', { roomId })
  assert.equal((await start()).body.code, 'START_COMPOSITE_RECORDING_FAILED', 'twice')
  const stop = (id: string) =>
    server.rest('POST', '/v2/recordings/composite/stop', { roomId, recordingId: id })
  assert.equal((await stop('0'.repeat(24))).body.code, 'STOP_COMPPOSITE_RECORDING_FAILED')
  assert.equal((await server.rest('DELETE', `/v2/recordings/composite/${recordingId}`)).status, 409)
  assert.equal((await stop(recordingId)).status, 200)
  await ann.context.close()
})

test(
  'participants are recorded into one picture; a kill and the end of the session finish it too',
  { skip },
  async () => {
    const roomId = await server.createMeeting()
    const people = await Promise.all(['ann', 'ben'].map((id) => enters(roomId, id, true)))
    const start = (body: object = {}) =>
      ask('POST', '/v2/recordings/composite/start', { roomId, webhookUrl: receiver.url, ...body })
    const begun = async (body?: object): Promise<string> => {
      const { recordingId } = await start(body)
      await receiver.until((hooks) =>
        hooks.some(
          (hook) =>
            hook.body.webhookType === 'composite-recording-started' && hook.body.data.id === recordingId,
        ),
      )
      return recordingId
    }
    const stoppedHook = async (id: string): Promise<Hook> => {
      const is = ({ body }: Hook): boolean =>
        body.webhookType === 'composite-recording-stopped' && body.data.id === id
      return (await receiver.until((hooks) => hooks.some(is))).find(is)!
    }
    const composite = (id: string) => ask('GET', `/v2/recordings/composite/${id}`)

    const startedAt = Date.now()
    const watermarks = [{ type: 'custom', text: 'Anteroom' }]
    const first = await begun({
      watermarks,
      participants: [{ participantId: 'ann' }, { participantId: 'ben' }],
    })
    assert.deepEqual([(await composite(first)).end, (await composite(first)).file], [null, null])
    await passes(5000)
    const stoppedAt = Date.now()
    const stopped = await ask('POST', '/v2/recordings/composite/stop', { roomId, recordingId: first })
    assert.equal(stopped, 'Composite recording stopped successfully')
    const { body } = await stoppedHook(first)
    const recording = await composite(first)
    assert.equal(body.data.fileUrl, recording.file.fileUrl)
    const path = await fetched(recording.file.fileUrl, 'composite.mp4')
    const { duration, streams } = probe(path)
    near(duration, (stoppedAt - startedAt) / 1000, 0.5, 'duration')
    assert.deepEqual([streams.video?.codec, streams.audio?.codec], ['h264', 'aac'])
    assert.equal(decodeErrors(path), '')
    // The fake camera is green; a tile without a picture is grey.
    for (const x of [0.1, 0.6]) {
      const [red, green, blue] = await colourAt(path, 3.5, { x, y: 0.4, width: 0.3, height: 0.2 })
      assert.ok(green > 60 && green - blue > 30, `${red} ${green} ${blue} at ${x}`)
    }
    assert.ok(loudest(path, 1, duration) > -40, `${loudest(path, 1, duration)} dB`)

    const ended = await begun({ fileFormat: 'webm' })
    await passes(3000)
    await ask('POST', '/v2/sessions/end', { roomId })
    await stoppedHook(ended)
    const webm = await fetched((await composite(ended)).file.fileUrl, 'ended.webm')
    assert.deepEqual(Object.keys(probe(webm).streams).sort(), ['audio', 'video'])
    near(probe(webm).duration, 3, 1.5, 'duration')
    await Promise.all(people.map((one) => one.context.close()))

    const ann = await enters(roomId, 'ann', true)
    const killed = await begun()
    await passes(4000)
    await server.end('SIGKILL')
    await server.run()
    await stoppedHook(killed)
    const left = await fetched((await composite(killed)).file.fileUrl, 'killed.mp4')
    assert.ok(probe(left).duration > 2, `${probe(left).duration} s`)
    assert.equal(decodeErrors(left), '')

    const list = await ask('GET', `/v2/recordings/composite?roomId=${roomId}`)
    assert.deepEqual(
      list.data.map(({ id }: any) => id),
      [killed, ended, first],
    )
    assert.match(await ask('DELETE', `/v2/recordings/composite/${first}`), /deleted/)
    assert.equal((await fetch(recording.file.fileUrl)).status, 404)
    await ann.context.close()
  },
)
