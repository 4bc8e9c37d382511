/** Every call of the published server SDK about outputs, against engines that are ready at once: what it asks, and what it makes of the answers. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ResourceConflictError,
  RoomNotFoundError,
  ValidationError,
  VideoSDK,
} from '@videosdk.live/server-sdk'
import type { Outputs } from '../src/output/output.ts'
import { promptEngines } from './support/outputs.ts'
import { eventually } from './support/sizes.ts'
import { API_KEY, SECRET, TestServer } from './support/test-server.ts'

let server: TestServer
let engines: Outputs
let sdk: VideoSDK
let roomId: string
let sessionId: string
before(async () => {
  engines = promptEngines()
  server = await TestServer.start({ webhookAllowPrivate: true }, { outputs: engines })
  sdk = new VideoSDK({ apiKey: API_KEY, secret: SECRET, apiEndpoint: server.url })
  ;({ roomId } = await sdk.rooms.create())
  const ann = server.connect({
    meetingId: roomId,
    token: server.token(['allow_join']),
    participantId: 'ann',
    name: 'Ann',
  })
  await ann.join()
  sessionId = (await sdk.sessions.list({ roomId })).data[0]!.id
})
after(() => server.stop())

/** The configuration with which the newest output of a kind was started. */
function asked(kind: keyof Outputs): unknown {
  return (engines[kind] as unknown as { started: { order: { config: unknown } }[] }).started.at(-1)?.order
    .config
}

/** An output with its end. */
async function over<T extends { end?: string | null }>(get: () => Promise<T>): Promise<T> {
  let one = await get()
  await eventually('it has ended', async () => (one = await get()).end != null)
  return one
}

const unknown = 'f'.repeat(24)

test('recordings: start, stop, list, get, delete', async () => {
  await assert.rejects(sdk.recordings.stop(roomId), ResourceConflictError)
  await assert.rejects(sdk.recordings.start('none-none-none'), RoomNotFoundError)
  await assert.rejects(sdk.recordings.start(roomId, { fileFormat: 'avi' as never }), ValidationError)
  const handle = await sdk.recordings.start(roomId, {
    composition: { layout: 'spotlight', quality: 'high', orientation: 'portrait', theme: 'LIGHT' },
    fileFormat: 'webm',
    dirPath: 'a/folder',
    transcription: { enabled: false },
  })
  assert.deepEqual([handle.type, handle.roomId], ['recording', roomId])
  const { layout, quality, orientation, theme, fileFormat } = asked('recording') as Record<string, any>
  assert.deepEqual(
    [layout.type, quality, orientation, theme, fileFormat],
    ['SPOTLIGHT', 'high', 'portrait', 'LIGHT', 'webm'],
  )
  await assert.rejects(sdk.recordings.start(roomId), ResourceConflictError)
  assert.equal(await sdk.recordings.stop(handle), 'Recording ended successfully')
  const [listed] = (await sdk.recordings.list({ roomId, sessionId })).data
  const found = await over(() => sdk.recordings.get(listed!.id))
  assert.deepEqual([found.roomId, found.sessionId], [roomId, sessionId])
  assert.equal(await (await fetch(found.file!.fileUrl!)).text(), 'media')
  assert.equal(typeof found.file!.size, 'number')
  assert.match(found.links!.get_room!, new RegExp(`/v2/rooms/${roomId}$`))
  assert.match(await sdk.recordings.delete(found.id), /deleted successfully/)
  assert.deepEqual((await sdk.recordings.list({ query: roomId })).data, [])
  await assert.rejects(sdk.recordings.get(unknown), RoomNotFoundError)
})

test('recordings of participants and of tracks: start, stop, list, get, delete', async () => {
  const { participant, track } = sdk.recordings
  await assert.rejects(participant.start(roomId, { participantId: 'nobody' }), RoomNotFoundError)
  assert.match(
    await participant.start(roomId, { participantId: 'ann', fileFormat: 'mp4', metadata: { own: 1 } }),
    /started successfully/,
  )
  assert.match(
    await track.start(roomId, { participantId: 'ann', kind: 'screen_video' }),
    /started successfully/,
  )
  assert.deepEqual(
    [(asked('participant') as any).fileFormat, (asked('track') as any).kind],
    ['mp4', 'screen_video'],
  )
  await assert.rejects(track.stop(roomId, 'ann', 'audio'), ResourceConflictError)
  await participant.stop(roomId, 'ann')
  await track.stop(roomId, 'ann', 'screen_video')
  for (const resource of [participant, track]) {
    const [listed] = (await resource.list({ roomId, sessionId, participantId: 'ann' })).data
    const found = await over(() => resource.get(listed!.id))
    assert.deepEqual([found.participantId, found.participantName, found.files!.length], ['ann', 'Ann', 1])
    assert.equal((await fetch(found.files![0]!.fileUrl!)).status, 200)
    assert.match(await resource.delete(found.id), /deleted/)
    assert.equal((await fetch(found.files![0]!.fileUrl!)).status, 404)
  }
})

test('composite recordings: start, stop, list, get, delete', async () => {
  const { composite } = sdk.recordings
  const handle = await composite.start(roomId, {
    participants: [{ participantId: 'ann', kind: ['audio', 'video'] }],
    watermarks: [{ type: 'custom', text: 'Ours' }],
    fileFormat: 'mp4',
  })
  assert.deepEqual([handle.type, handle.roomId, handle.sessionId], ['composite', roomId, sessionId])
  const unlike = { roomId, recordingId: unknown }
  await assert.rejects(composite.stop(unlike), ResourceConflictError)
  assert.match(await composite.stop(handle), /stopped successfully/)
  const [listed] = (await composite.list({ roomId })).data
  assert.equal(listed!.id, handle.id)
  const found = await over(() => composite.get(handle.id!))
  assert.deepEqual(found.participants, [{ participantId: 'ann', kind: ['audio', 'video'] }])
  assert.equal((await fetch(found.file!.fileUrl!)).status, 200)
  assert.match(await composite.delete(found.id), /deleted/)
})

test('HLS: start, the active one, stop, list, get, delete', async () => {
  await assert.rejects(sdk.hls.get(roomId), RoomNotFoundError)
  await assert.rejects(sdk.hls.capture({ roomId }), RoomNotFoundError)
  const handle = await sdk.hls.start(roomId, {
    composition: { layout: 'grid', gridSize: 4 },
    recording: { enabled: true },
  })
  assert.deepEqual([handle.type, handle.roomId, handle.sessionId], ['hls', roomId, sessionId])
  const active = await sdk.hls.get(roomId)
  assert.deepEqual([active.id, active.roomId, active.end], [handle.id, roomId, null])
  assert.match(active.playbackHlsUrl!, /\/index\.m3u8$/)
  assert.match(active.livestreamUrl!, /\/live\.m3u8$/)
  assert.equal(active.downstreamUrl, active.playbackHlsUrl)
  assert.equal(await sdk.hls.stop(handle), 'HLS ended successfully')
  const found = await over(() => sdk.hls.getById(handle.id!))
  assert.deepEqual([found.quality, found.orientation, found.mode], ['med', 'landscape', 'video-and-audio'])
  assert.deepEqual(
    (await sdk.hls.list({ sessionId })).data.map(({ id }) => id),
    [found.id],
  )
  assert.match(await sdk.hls.delete(found.id), /deleted/)
})

test('RTMP: start, stop, list, get, and the key is not given back', async () => {
  await assert.rejects(sdk.rtmp.start(roomId, { streams: [] }), ValidationError)
  const url = 'rtmp://live.example.org/app'
  const handle = await sdk.rtmp.start(roomId, { streams: [{ url, streamKey: 'very-secret' }] })
  assert.deepEqual([handle.type, handle.roomId], ['livestream', roomId])
  assert.deepEqual((asked('livestream') as any).targets, [{ url, streamKey: 'very-secret' }])
  assert.equal(await sdk.rtmp.stop(roomId), 'Livestream ended successfully')
  const [listed] = (await sdk.rtmp.list({ roomId })).data
  const found = await over(() => sdk.rtmp.get(listed!.id))
  assert.equal(found.outputs![0]!.url, url)
  assert.ok(!JSON.stringify(found).includes('very-secret'))
})

test('real-time transcriptions: start, stop, get, list', async () => {
  const { realtime } = sdk.transcription
  await assert.rejects(realtime.stop(roomId), ResourceConflictError)
  const started = await realtime.start(roomId, {
    language: 'en-US',
    modelId: 'small',
    summary: { enabled: true, prompt: 'In one sentence.' },
  })
  assert.deepEqual(asked('transcription'), {
    language: 'en-US',
    modelId: 'small',
    summary: { prompt: 'In one sentence.' },
  })
  assert.deepEqual(
    [started.roomId, started.extension],
    [
      roomId,
      { enabled: true, provider: started.extension!.provider, extensionConfig: { roomId, sessionId } },
    ],
  )
  await assert.rejects(realtime.start(roomId), ResourceConflictError)
  assert.equal((await realtime.stop(started)).id, started.id)
  const found = await over(() => realtime.get(started.id))
  assert.deepEqual([found.roomId, found.status], [roomId, 'stopped'])
  assert.equal(await (await fetch(found.transcriptionFilePaths!.txt!)).text(), 'media')
  const all: string[] = []
  for await (const { id } of await realtime.list({ perPage: 1 })) all.push(id)
  assert.deepEqual(all, [started.id])
  await assert.rejects(realtime.get(unknown), RoomNotFoundError)
})
