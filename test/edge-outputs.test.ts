/**
 * Outputs of a meeting over two nodes: whoever speaks and shows is at the edge, and the outputs are started there, by a socket and
 * over REST. They run at the home.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { joinMeeting, type Agent } from '../src/agent/agent.ts'
import { workersFromMetrics } from '../src/load/server-figures.ts'
import { startNodes, untilReady } from './support/nodes.ts'
import { withoutPostgres } from './support/postgres.ts'
import type { RealServer } from './support/real-server.ts'
import { decodeErrors, loudest, probe } from './support/recorded-media.ts'
import { Receiver } from './support/receiver.ts'
import { noOutputs, RtmpServer } from './support/rtmp-server.ts'
import { noSpeech, speak, startSpeechServer, type SpeechServer } from './support/speech.ts'
import { API_KEY, signAnything } from './support/test-server.ts'
import { WireClient, type Heard } from './support/wire-client.ts'

const skip = withoutPostgres || noSpeech || noOutputs
/** On a machine that is much slower. */
const patient = { skip, timeout: 300_000 }
const RECORDED_MS = 5000
const WORDS = 'umbrella yellow garden'
const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
const WAV_HEADER_BYTES = 44
/** 20 ms at 48 kHz. */
const PIECE = 960

const ends: (() => unknown)[] = []
let folder: string
let speech: SpeechServer
let rtmp: RtmpServer
let receiver: Receiver
let home: RealServer
let edge: RealServer
let meetingId: string
/** She came in at the home, and has no media. */
let ann: WireClient
/** The same, at the edge. */
let cat: WireClient
/** Speaks and shows at the edge. */
let bob: Agent

before(async () => {
  if (skip) return
  const t = { after: (end: () => unknown) => ends.unshift(end) }
  folder = await mkdtemp(join(tmpdir(), 'anteroom-edge-outputs-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  speech = await startSpeechServer()
  t.after(() => speech.close())
  rtmp = await RtmpServer.start()
  t.after(() => rtmp.stop())
  receiver = await Receiver.start()
  t.after(() => receiver.stop())
  const { nodes } = await startNodes(t, 2, {
    EDGES: 'spread',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    OUTPUTS_ALLOW_PRIVATE: 'true',
    TRANSCRIPTION_URL: speech.url,
  })
  ;[home, edge] = nodes as [RealServer, RealServer]
  await untilReady(home, 2)
  meetingId = await home.createMeeting()
  const enter = async ({ url }: RealServer, participantId: string): Promise<WireClient> => {
    const client = new WireClient({ url, token, meetingId, participantId, name: participantId })
    t.after(() => client.close())
    await client.join()
    return client
  }
  ann = await enter(home, 'ann')
  cat = await enter(edge, 'cat')
  bob = await joinMeeting({ url: edge.url, token, meetingId, participantId: 'bob', name: 'Bob' })
  t.after(() => bob.leave())
  const film = join(folder, 'red.ivf')
  const source = ['-f', 'lavfi', '-i', 'color=red:size=320x240:rate=15', '-t', '2', '-g', '15']
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...source, '-c:v', 'libvpx', '-b:v', '300k', film])
  await bob.publishVideo(film, { loop: true })
  const wav = join(folder, 'said.wav')
  await speak(WORDS, wav)
  await bob.publishAudio(over(await readFile(wav)))
})
after(async () => {
  for (const end of ends) await end()
})

/** The samples of a WAV file, over and over. */
function* over(wav: Buffer): Generator<Int16Array> {
  const bytes = wav.subarray(WAV_HEADER_BYTES)
  const samples = new Int16Array(bytes.length >> 1)
  for (let at = 0; at < samples.length; at++) samples[at] = bytes.readInt16LE(at * 2)
  for (;;) for (let at = 0; at + PIECE <= samples.length; at += PIECE) yield samples.slice(at, at + PIECE)
}

async function ask(node: RealServer, method: string, path: string, body?: object): Promise<any> {
  const answer = await node.rest(method, path, body)
  assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

/** The time limit of the test ends it otherwise. */
async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found) return found
    await delay(200)
  }
}

/** Those at the home and at the edge are told. */
async function both(method: string, status: string): Promise<void> {
  for (const one of [ann, cat]) await one.hears(method, (heard) => heard.status === status)
}

/** The same file from each node. */
async function fetched(fileUrl: string, name: string): Promise<string> {
  const copies = await Promise.all(
    [home, edge].map(async ({ url }) => {
      const answer = await fetch(url + new URL(fileUrl).pathname)
      assert.equal(answer.status, 200, `${url} of ${fileUrl}`)
      return Buffer.from(await answer.arrayBuffer())
    }),
  )
  assert.ok(copies[0]!.length > 0 && copies[0]!.equals(copies[1]!), 'the nodes gave different files')
  const path = join(folder, name)
  await writeFile(path, copies[0]!)
  return path
}

/** The file of a job that was started at the edge, though what it is made of is on the disk of the home. */
async function made(job: { id: string }, name: string): Promise<string> {
  const hooks = await receiver.until((all) =>
    all.some(({ body }) => body.data.id === job.id && /-(completed|failed)$/.test(body.webhookType)),
  )
  const { webhookType, data } = hooks.at(-1)!.body
  assert.match(webhookType, /-completed$/, JSON.stringify(data))
  return fetched(data.fileUrl, name)
}

/** The share of a picture that is as red as what bob shows. */
function redness(file: string, second: number): number {
  const given = ['-v', 'error', '-ss', String(second), '-i', file, '-frames:v', '1']
  const pixels = execFileSync('ffmpeg', [
    ...given,
    ...['-vf', 'scale=64:36:flags=area', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
  ])
  let red = 0
  for (let at = 0; at < pixels.length; at += 3)
    if (pixels[at]! > 150 && pixels[at + 1]! < 90 && pixels[at + 2]! < 90) red++
  return red / (pixels.length / 3)
}

test('who speaks at the edge is recorded, and written down', patient, async () => {
  const start = { roomId: meetingId, participantId: 'bob' }
  await ask(edge, 'POST', '/v2/recordings/participant/start', start)
  await ask(home, 'POST', '/v2/recordings/participant/track/start', { ...start, kind: 'video' })
  await cat.request('startTranscription', {})
  await both('transcriptionStateChanged', 'TRANSCRIPTION_STARTED')
  // It may begin in the middle of what he says.
  const isAll = ({ text }: Heard): boolean => String(text).includes(WORDS)
  for (const one of [ann, cat]) await one.hears('transcriptionText', isAll)
  // His media came over a pipe: it is he who is at the edge, and the outputs are not.
  const [here] = (await workersFromMetrics(home.url, undefined)).values()
  assert.equal(here!.pipesIn, 2)

  await ask(home, 'POST', '/v2/recordings/participant/stop', start)
  await ask(edge, 'POST', '/v2/recordings/participant/track/stop', { ...start, kind: 'video' })
  await cat.request('stopTranscription', {})
  await both('transcriptionStateChanged', 'TRANSCRIPTION_STOPPED')
  for (const [kind, name] of [
    ['participant', 'whole'],
    ['participant/track', 'track'],
  ] as const) {
    const { files } = await until(async () => {
      const { data } = await ask(edge, 'GET', `/v2/recordings/${kind}?roomId=${meetingId}`)
      return data[0].end !== null && data[0]
    })
    const path = await fetched(files[0].fileUrl, `${name}.webm`)
    const { streams, duration } = probe(path)
    assert.deepEqual([streams.video?.width, streams.video?.height], [320, 240])
    assert.ok(duration > 2 && streams.video!.frames > 20, `${streams.video!.frames} frames in ${duration} s`)
    assert.equal(decodeErrors(path), '')
    assert.ok(redness(path, 1) > 0.9)
    if (name === 'whole') assert.ok(loudest(path, 0, duration) > -20, 'silent')
  }
  const { data: sessions } = await ask(edge, 'GET', `/v2/sessions?roomId=${meetingId}`)
  const channel = [{ participantId: 'bob' }]
  const { recording } = await ask(edge, 'POST', '/v2/recordings/participant/merge', {
    sessionId: sessions[0].id,
    channel1: channel,
    channel2: channel,
    webhookUrl: receiver.url,
  })
  const merged = await made(recording, 'merged.mp3')
  assert.ok(loudest(merged, 0, probe(merged).duration) > -20, 'silent')
  const { transcriptions } = await ask(edge, 'GET', `/ai/v1/realtime-transcriptions?roomId=${meetingId}`)
  const txt = await fetched(transcriptions[0].transcriptionFilePaths.txt, 'said.txt')
  assert.match(await readFile(txt, 'utf8'), /\] Bob: umbrella yellow garden/)
})

test('a recording, HLS and a livestream of who is at the edge, started there', patient, async () => {
  const roomId = meetingId
  await cat.request('startRecording', {})
  const { playbackHlsUrl, id: hlsId } = await ask(edge, 'POST', '/v2/hls/start', { roomId })
  const outputs = [{ url: rtmp.url, streamKey: 'edge' }]
  await ask(edge, 'POST', '/v2/livestreams/start', { roomId, outputs })
  await both('recordingStateChanged', 'RECORDING_STARTED')
  await both('livestreamStateChanged', 'LIVESTREAM_STARTED')
  await both('hlsStateChanged', 'HLS_STARTED')
  await cat.hears('hlsPlayableStateChanged')

  // Whoever watches HLS may reach either node, while it goes on and afterwards.
  for (const { url } of [home, edge]) {
    const at = url + new URL(playbackHlsUrl).pathname
    const playlist = await (await fetch(at)).text()
    const [segment] = /^[^#].*$/m.exec(playlist) ?? assert.fail(playlist)
    const answer = await fetch(new URL(segment, at), { headers: { range: 'bytes=0-9' } })
    assert.deepEqual([answer.status, (await answer.arrayBuffer()).byteLength], [206, 10])
  }
  // The stream may begin before his picture has arrived.
  await until(async () => {
    const { filePath } = await ask(edge, 'POST', '/v2/hls/capture', { roomId, width: 320, format: 'jpg' })
    return redness(await fetched(filePath, 'picture.jpg'), 0) > 0.1
  })
  await delay(RECORDED_MS)

  await ask(home, 'POST', '/v2/recordings/end', { roomId })
  await cat.request('stopHls', {})
  await ask(edge, 'POST', '/v2/livestreams/end', { roomId })
  await both('recordingStateChanged', 'RECORDING_STOPPED')
  await both('hlsStateChanged', 'HLS_STOPPED')
  await both('livestreamStateChanged', 'LIVESTREAM_STOPPED')
  const { file } = await until(async () => {
    const { data } = await ask(edge, 'GET', `/v2/recordings?roomId=${roomId}`)
    return data[0].file && data[0]
  })
  await until(async () => (await ask(edge, 'GET', `/v2/hls/${hlsId}`)).end !== null)
  const list = await readFile(await fetched(playbackHlsUrl, 'index.m3u8'), 'utf8')
  assert.match(list, /#EXT-X-ENDLIST/)
  const converting = await ask(edge, 'POST', '/v2/transcodings/hls-to-mp4', {
    hlsId,
    webhookUrl: receiver.url,
  })
  const converted = await made(converting, 'hls.mp4')
  for (const path of [await fetched(file.fileUrl, 'room.mp4'), rtmp.recorded('edge'), converted]) {
    const { duration, streams } = probe(path)
    assert.deepEqual([streams.video?.codec, streams.audio?.codec], ['h264', 'aac'], path)
    assert.ok(duration > RECORDED_MS / 2000, `${path}: ${duration} s`)
    assert.ok(redness(path, duration / 2) > 0.1, `his picture is not in ${path}`)
    assert.ok(loudest(path, 0, duration) > -25, `his voice is not in ${path}`)
  }
})
