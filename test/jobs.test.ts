/** Files made of recordings after they ended, over REST and by the published server SDK: what comes out is fetched, decoded and looked at. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { VideoSDK } from '@videosdk.live/server-sdk'
import { findFfmpeg } from '../scripts/ffmpeg.mjs'
import { openStore } from '../src/store/open.ts'
import type { OutputFileRecord, OutputKind, OutputRecord, Store } from '../src/store/store.ts'
import { colorAt, makeMedia, toneIn, type MadeMedia } from './support/made-media.ts'
import { RealServer } from './support/real-server.ts'
import { Receiver, type Hook } from './support/receiver.ts'
import { decodeErrors, probe } from './support/recorded-media.ts'
import { near } from './support/recording-bench.ts'
import { API_KEY, SECRET, signAnything } from './support/test-server.ts'

const ffmpeg = findFfmpeg()
const skip = !ffmpeg && 'there is no ffmpeg'
const BEGAN_AT = 1_795_000_000_000

let server: RealServer
let receiver: Receiver
let store: Store
let sdk: VideoSDK
let projectId: string
let roomId: string
const sessionId = 'a'.repeat(24)
/** Of the server's ffmpeg, which reads at most as fast as what it reads lasted while the file `slow` is beside it. */
let programs: string
before(async () => {
  if (skip) return
  programs = mkdtempSync(join(tmpdir(), 'anteroom-programs-'))
  symlinkSync(join(dirname(ffmpeg!), 'ffprobe'), join(programs, 'ffprobe'))
  const script = `#!/bin/sh\n[ -e '${programs}/slow' ] && exec '${ffmpeg!}' -re "$@"\nexec '${ffmpeg!}' "$@"\n`
  writeFileSync(join(programs, 'ffmpeg'), script, { mode: 0o755 })
  ;[server, receiver] = await Promise.all([
    RealServer.start({
      WEBHOOK_ALLOW_PRIVATE: 'true',
      MEDIA_WORKERS: '1',
      FFMPEG_BIN: join(programs, 'ffmpeg'),
    }),
    Receiver.start(),
  ])
  sdk = new VideoSDK({ apiKey: API_KEY, secret: SECRET, apiEndpoint: server.url })
  store = await openStore({ folder: server.env.DATA_DIR!, url: server.env.DATABASE_URL })
  projectId = (await store.projects.list())[0]!.projectId
  roomId = await server.createMeeting()
  await store.sessions.start(
    { sessionId, meetingId: roomId, projectId, startedAt: BEGAN_AT, endedAt: null, endReason: null },
    [],
  )
  await store.sessions.end(sessionId, BEGAN_AT + 60_000, 'empty', [])
})
after(async () => {
  if (skip) return
  await store.close()
  receiver.stop()
  await server.stop()
  rmSync(programs, { recursive: true })
})

let made = 0

interface Left {
  participantId?: string
  config?: OutputRecord['config']
  meetingId?: string
  goesOn?: boolean
}

/** An output that ended, with files that began so many seconds after the session. */
async function left(
  kind: OutputKind,
  files: Record<string, MadeMedia & { at?: number }>,
  { participantId, config = {}, meetingId = roomId, goesOn = false }: Left = {},
): Promise<string> {
  const outputId = (++made).toString(16).padStart(24, '0')
  const folder = join(server.env.DATA_DIR!, 'outputs', outputId)
  mkdirSync(folder, { recursive: true })
  const records = Object.entries(files).map(([path, media]): OutputFileRecord => {
    const startedAt = BEGAN_AT + (media.at ?? 0) * 1000
    const { size } = makeMedia(folder, path, media)
    const type = media.color === undefined ? 'audio' : 'video'
    const endedAt = startedAt + media.seconds * 1000
    return { fileId: `f${made}`, path, type, contentType: `${type}/webm`, size, startedAt, endedAt }
  })
  await store.outputs.create({
    outputId,
    kind,
    projectId,
    meetingId,
    sessionId,
    participantId: participantId ?? null,
    config: { ...config, ...(participantId !== undefined && { participantName: participantId }) },
    secret: 'the-secret',
    baseUrl: server.url,
    webhookUrl: null,
    apiKey: null,
    storedAt: null,
    state: goesOn ? 'started' : 'stopped',
    createdAt: BEGAN_AT,
    startedAt: BEGAN_AT,
    endedAt: goesOn ? null : BEGAN_AT + 60_000,
    files: records,
  })
  return outputId
}

function told(event: string, id: string): Promise<Hook> {
  const is = ({ body }: Hook): boolean => body.webhookType === event && body.data.id === id
  return receiver.until((hooks) => hooks.some(is)).then((hooks) => hooks.find(is)!)
}

/** The file of a job, decoded without an error. */
async function fetched(fileUrl: string | undefined): Promise<string> {
  const answer = await fetch(fileUrl!)
  assert.equal(answer.status, 200)
  const path = join(server.env.DATA_DIR!, `fetched-${++made}.mp4`)
  writeFileSync(path, Buffer.from(await answer.arrayBuffer()))
  assert.equal(decodeErrors(path), '')
  return path
}

const post = (path: string, body: object, token?: string) => server.rest('POST', path, body, token)

const processes = (): string[] =>
  spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.includes('ffmpeg') && line.includes(server.env.DATA_DIR!))

test('what cannot be merged is refused with its reason, and starts nothing', { skip }, async () => {
  const short = { color: 'red', seconds: 0.2 }
  const whole = await left('recording', { 'recording.mp4': short })
  const ann = await left('participant', { 'a.webm': short }, { participantId: 'ann' })
  const running = await left('participant', {}, { participantId: 'ann', goesOn: true })
  const empty = await left('track', {}, { participantId: 'eve', config: { kind: 'audio' } })
  const otherRoom = await left(
    'participant',
    { 'a.webm': short },
    { meetingId: await server.createMeeting() },
  )
  const merge = '/v2/transcodings/merge'
  const joined = '/v2/transcodings/meeting-recording-merge'
  const stereo = '/v2/recordings/participant/merge'
  const none = '0'.repeat(24)
  const annAlone = [{ participantId: 'ann', recordingId: ann }]
  const mark = (watermark: object) => ({ recordingIds: [ann], watermark })
  const rows: [status: number, path: string, body: object, says: RegExp][] = [
    [404, merge, { recordingIds: [none] }, /./],
    [404, merge, { recordingIds: [ann, none] }, /There is no recording 0+\./],
    [400, merge, { recordingIds: [] }, /./],
    [400, merge, { recordingIds: [ann, ann] }, /once/],
    [400, merge, { recordingIds: [whole] }, /recording of a meeting/],
    [400, merge, { recordingIds: [ann, otherRoom] }, /of one meeting/],
    [409, merge, { recordingIds: [ann, running] }, /goes on still; stop it first/],
    [409, merge, { recordingIds: [empty] }, /has no file/],
    [400, merge, { recordingIds: [ann], task: 'dance' }, /./],
    [400, merge, { recordingIds: [ann], webhookUrl: 'ftp://x' }, /webhookUrl must be an http/],
    [400, merge, mark({ type: 'image' }), /needs image/],
    [400, merge, mark({ type: 'image', image: 'I2V4dG0zdQ==' }), /PNG, JPEG or WebP/],
    [400, merge, mark({ type: 'image', image: `${server.url}/health` }), /PNG, JPEG or WebP/],
    [400, merge, mark({ type: 'image', image: 'http://127.0.0.1:9/x.png' }), /cannot be fetched/],
    [400, merge, mark({ type: 'timestamp', startTime: 'noon' }), /ISO 8601/],
    [400, merge, mark({ type: 'lat_long', lat: 1 }), /lat and long/],
    [400, merge, mark({ type: 'lat_long', lat: 91, long: 0 }), /./],
    [404, '/v2/transcodings/hls-to-mp4', { roomId }, /There is no HLS/],
    [404, '/v2/transcodings/hls-to-mp4', { hlsId: whole }, /./],
    [400, '/v2/transcodings/hls-to-mp4', {}, /./],
    [400, '/v2/transcodings/hls-to-mp4', { roomId, storage: { type: 's3' } }, /storage is not supported/],
    [400, merge, { recordingIds: [ann], storage: { type: 's3' } }, /FILES_URL names no S3 store/],
    [400, joined, { recordingIds: [whole], storage: { type: 'gcp' } }, /storage is not supported/],
    [400, joined, { recordingIds: [whole], presignedOutputUrl: 'http://a:b@example.org/put' }, /credentials/],
    [400, joined, { recordingIds: [ann] }, /recording of a participant/],
    [404, stereo, { sessionId: none, channel1: annAlone, channel2: annAlone }, /./],
    [
      404,
      stereo,
      { sessionId, channel1: annAlone, channel2: [{ participantId: 'zoe' }] },
      /recording of zoe/,
    ],
    [
      404,
      stereo,
      { sessionId, channel1: [{ participantId: 'ben', recordingId: ann }], channel2: annAlone },
      /ben/,
    ],
    [409, stereo, { sessionId, channel1: [{ participantId: 'ann' }], channel2: annAlone }, /goes on still/],
    [400, stereo, { sessionId, channel1: [], channel2: annAlone }, /./],
    [400, stereo, { sessionId, channel1: annAlone, channel2: annAlone, dirPath: '../up' }, /dirPath must be/],
  ]
  for (const [status, path, body, says] of rows) {
    const answer = await post(path, body)
    assert.equal(answer.status, status, `${path} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`)
    assert.match(answer.body.message, says)
  }
  const elsewhere = signAnything({ apikey: API_KEY, permissions: ['allow_mod'], roomId: 'another-room' })
  assert.equal((await post(merge, { recordingIds: [ann] }, elsewhere)).status, 403)
  assert.equal((await server.rest('GET', `/v2/transcodings/${none}`)).status, 404)
  assert.equal((await post(`/v2/transcodings/${none}/cancel`, {})).status, 404)
  assert.deepEqual((await server.rest('GET', '/v2/transcodings')).body.data, [])
  assert.equal((await server.rest('DELETE', `/v2/recordings/participant/${ann}`)).status, 200)
  await store.outputs.delete(running, 0)
})

test('the published SDK merges, joins and converts, and hears of it', { skip }, async () => {
  const whose = (participantId: string) => ({ participantId })
  const ann = await left('participant', { 'a.webm': { color: 'red', tone: 300, seconds: 3 } }, whose('ann'))
  const ben = await left(
    'participant',
    { 'b.webm': { color: 'blue', tone: 500, seconds: 2, at: 2 } },
    whose('ben'),
  )
  const webhookUrl = receiver.url

  const merging = await sdk.transcodings.merge({
    recordingIds: [ann, ben],
    webhookUrl,
    watermark: { type: 'timestamp', startTime: new Date(BEGAN_AT).toISOString() },
  })
  assert.deepEqual(
    [merging.task, merging.recordingIds, merging.roomId],
    ['composite-merge', [ann, ben], roomId],
  )
  await told('composite-merge-started', merging.id)
  const { body } = await told('composite-merge-completed', merging.id)
  const merged = await sdk.transcodings.get(merging.id)
  assert.deepEqual([merged.status, merged.file?.fileUrl], ['completed', body.data.fileUrl])
  const picture = await fetched(merged.file?.fileUrl)
  const { webhook } = (await server.rest('GET', `/v2/transcodings/${merging.id}`)).body
  assert.deepEqual(
    webhook.data.map(({ type }: { type: string }) => type),
    ['composite-merge-started', 'composite-merge-completed'],
  )
  near(probe(picture).duration, 4, 0.5, 'duration')
  assert.deepEqual(Object.keys(probe(picture).streams).toSorted(), ['audio', 'video'])
  const [red, , blue] = [colorAt(picture, 2.5, 320, 300), 0, colorAt(picture, 2.5, 960, 300)]
  assert.ok(red[0] > 200 && red[2] < 60, `Ann is left: ${red.join()}`)
  assert.ok(blue[2] > 200 && blue[0] < 60, `Ben is right: ${blue.join()}`)

  const { message, recording } = await sdk.recordings.merge.create({
    sessionId,
    channel1: [{ participantId: 'ann' }],
    channel2: [{ participantId: 'ben', recordingId: ben }],
    webhookUrl,
  })
  assert.match(message, /started/)
  assert.deepEqual(recording.channel2, [{ recordingId: ben, participantId: 'ben' }])
  const voices = await fetched((await told('merge-recording-completed', recording.id)).body.data.fileUrl)
  near(probe(voices).duration, 4, 0.5, 'duration')
  assert.ok(toneIn(voices, 0, 300, 0.3, 2.7) > 0.03 && toneIn(voices, 1, 300, 0.3, 2.7) < 0.01, 'Ann is left')
  assert.ok(
    toneIn(voices, 1, 500, 2.3, 3.7) > 0.03 && toneIn(voices, 1, 500, 0.3, 1.7) < 0.01,
    'Ben is right',
  )
  const listed = await sdk.recordings.merge.list({ sessionId, status: 'completed' })
  assert.deepEqual(
    listed.data.map(({ id }) => id),
    [recording.id],
  )
  assert.equal((await sdk.recordings.merge.get(recording.id)).end !== null, true)

  const one = await left('recording', { 'r.mp4': { color: 'red', tone: 300, seconds: 1, at: 10 } })
  const two = await left('recording', { 'r.mp4': { color: 'blue', size: '180x320', tone: 500, seconds: 1 } })
  const joining = await sdk.transcodings.meetingRecordingMerge({
    recordingIds: [one, { id: two }],
    webhookUrl,
  })
  const joined = await fetched(
    (await told('meeting-recording-merge-completed', joining.id)).body.data.fileUrl,
  )
  near(probe(joined).duration, 2, 0.5, 'duration')
  assert.ok(colorAt(joined, 0.5, 160, 160)[2] > 200, 'the earlier one comes first')

  const hls = await left('hls', { 'index.m3u8': { color: 'red', tone: 300, seconds: 2 } })
  // A newer one that goes on is not the newest that has ended.
  await left('hls', {}, { goesOn: true })
  const converting = await sdk.transcodings.hlsToMp4({ sessionId, webhookUrl })
  assert.equal(converting.hlsId, hls)
  const file = await fetched((await told('hls-to-mp4-completed', converting.id)).body.data.fileUrl)
  near(probe(file).duration, 2, 0.5, 'duration')

  const list = async (params: object): Promise<string[]> =>
    (await sdk.transcodings.list(params)).data.map(({ id }) => id)
  assert.deepEqual(await list({}), [converting.id, joining.id, merging.id])
  assert.deepEqual(await list({ roomId, perPage: 2, page: 2 }), [merging.id])
  assert.deepEqual(await list({ hlsId: hls }), [converting.id])
  assert.deepEqual(await list({ status: 'failed' }), [])
  await assert.rejects(sdk.transcodings.cancel(merging.id), /over already/)
  assert.equal((await fetch(merged.file!.fileUrl!.replace(/outputs\/\w+\/./, '$&x'))).status, 404)
})

test('one at a time, the next one waits, and a killed server begins again', { skip }, async () => {
  const ids: string[] = []
  for (const color of ['red', 'blue'])
    ids.push(await left('recording', { 'r.mp4': { color, tone: 300, seconds: 3 } }))
  writeFileSync(`${programs}/slow`, '')
  const join = () => sdk.transcodings.meetingRecordingMerge({ recordingIds: ids, webhookUrl: receiver.url })
  const [first, second] = [await join(), await join()]
  await told('meeting-recording-merge-started', first.id)
  assert.equal((await sdk.transcodings.get(second.id)).status, 'pending')
  assert.equal((await sdk.transcodings.cancel(second.id)).status, 'cancelled')
  await told('meeting-recording-merge-cancelled', second.id)

  while (processes().length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
  await server.end('SIGKILL')
  while (processes().length > 0) await new Promise((resolve) => setTimeout(resolve, 50))
  const outputs = `${server.env.DATA_DIR!}/outputs`
  writeFileSync(`${outputs}/${first.id}/left-behind`, '')
  await server.run()
  const { body } = await told('meeting-recording-merge-completed', first.id)
  const path = await fetched(body.data.fileUrl)
  near(probe(path).duration, 6, 0.5, 'duration')
  assert.deepEqual(readdirSync(`${outputs}/${first.id}`), ['merged.mp4'])
  assert.equal(existsSync(`${outputs}/${second.id}`), false)

  const third = await join()
  await told('meeting-recording-merge-started', third.id)
  while (processes().length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal((await sdk.transcodings.cancel(third.id)).status, 'cancelled')
  assert.deepEqual(processes(), [])
  assert.equal(existsSync(`${outputs}/${third.id}`), false)
  await told('meeting-recording-merge-cancelled', third.id)

  await server.rest('DELETE', `/v2/recordings/${ids[0]!}`)
  const failing = await post('/v2/transcodings/meeting-recording-merge', { recordingIds: ids })
  assert.equal(failing.status, 404)
})
