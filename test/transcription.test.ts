/** Two members of a real meeting speak over WebRTC; everybody reads what they said. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { RtpPacket } from 'werift'
import { findFfmpeg } from '../scripts/ffmpeg.mjs'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { Peer, type RemoteTransport } from '../src/rtc/peer.ts'
import { createSfu } from '../src/media/create.ts'
import type { Sfu } from '../src/media/sfu.ts'
import { createOutputs } from '../src/output/create.ts'
import type { JobEngines } from '../src/output/jobs/job.ts'
import { createJobEngines } from '../src/output/jobs/create.ts'
import type {
  TranscriptionEngine,
  OutputEngine,
  OutputFile,
  OutputListener,
  OutputOrder,
} from '../src/output/output.ts'
import { freePorts } from './support/ports.ts'
import { Receiver, type Hook } from './support/receiver.ts'
import { promptEngines } from './support/outputs.ts'
import { noSpeech, play, speak, startSpeechServer, type SpeechServer } from './support/speech.ts'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

const skip = noSpeech || (locateWorker() ? false : 'no media worker is installed')
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const AI = '/ai/v1/realtime-transcriptions'
const POST = '/ai/v1/post-transcriptions'

/** Leaves a file that was made before, as if a meeting had been recorded. */
class MadeRecording implements OutputEngine<unknown> {
  readonly unavailable = undefined
  readonly #file: () => string

  constructor(file: () => string) {
    this.#file = file
  }

  start({ folder }: OutputOrder<unknown>, listener: OutputListener) {
    listener.started()
    return { stop: () => this.recover({ folder }) }
  }

  async recover({ folder }: { folder: string }): Promise<OutputFile[]> {
    const path = join(folder, 'recording.mp4')
    await copyFile(this.#file(), path)
    const { size } = await stat(path)
    const span = { startedAt: 1_795_000_000_000, endedAt: 1_795_000_010_000 }
    return [{ path: 'recording.mp4', type: 'video', contentType: 'video/mp4', size, ...span }]
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

describe('a transcription', { skip }, () => {
  let folder: string
  let speech: SpeechServer
  let sfu: Sfu
  let server: TestServer
  let receiver: Receiver

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'anteroom-said-'))
    speech = await startSpeechServer()
    receiver = await Receiver.start()
    sfu = await createSfu({
      workerBin: locateWorker()!.bin,
      workers: 1,
      firstPort: await freePorts(1),
      listenAddress: '127.0.0.1',
    })
    const outputs = createOutputs({
      transcription: {
        endpoint: { url: speech.url, apiKey: 'key', model: 'pocketsphinx' },
        summaryModel: 'parrot',
        ffmpegBin: findFfmpeg(),
        now: Date.now,
        random: Math.random,
        log,
      },
    })
    const recording = new MadeRecording(() => join(folder, 'meeting.mp4'))
    server = await TestServer.start(
      { webhookAllowPrivate: true },
      { sfu, outputs: { ...outputs, recording }, jobs: jobsWith(outputs.transcription) },
    )
    await Promise.all([
      speak('umbrella yellow garden', join(folder, 'ann.wav')),
      speak('banana telephone', join(folder, 'ben.wav')),
    ])
  })
  after(async () => {
    await server.stop()
    await sfu.close()
    receiver.stop()
    await speech.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function enters(meetingId: string, participantId: string, name: string): Promise<WireClient> {
    const client = server.connect({
      token: server.token(['allow_join', 'allow_mod']),
      meetingId,
      participantId,
      name,
    })
    await client.join()
    return client
  }

  /** Unmutes, says what is in the file, and mutes. */
  async function says(client: WireClient, wav: string, ssrc: number): Promise<void> {
    const remote = (await client.request('createWebRtcTransport', {
      producing: true,
      consuming: false,
    })) as RemoteTransport
    const peer = await Peer.connect(remote, (dtlsParameters) =>
      client.request('connectWebRtcTransport', { transportId: remote.id, dtlsParameters }),
    )
    const { id: producerId } = await client.request('produce', {
      transportId: remote.id,
      kind: 'audio',
      rtpParameters: {
        mid: 'audio',
        codecs: [
          { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: {} },
        ],
        encodings: [{ ssrc }],
        rtcp: { cname: `voice-${ssrc}` },
      },
      appData: {},
    })
    await play(wav, ssrc, (packet) => {
      const { payload, header } = RtpPacket.deSerialize(packet)
      peer.send(payload, header)
    })
    await client.request('closeProducer', { producerId })
    await peer.close()
  }

  const isStatus = (status: string) => (heard: Record<string, unknown>) => heard.status === status
  const textsOf = (client: WireClient) => client.heard.filter(({ method }) => method === 'transcriptionText')

  test('speech comes back as text with its speaker, over the socket and as files', async () => {
    const meetingId = await server.createMeeting({
      webhook: { endPoint: receiver.url, events: ['transcription-*'] },
    })
    const [ann, ben] = [await enters(meetingId, 'ann', 'Ann'), await enters(meetingId, 'ben', 'Ben')]
    await ann.request('startTranscription', { config: { summary: { enabled: true } } })
    await ben.hears('transcriptionStateChanged', isStatus('TRANSCRIPTION_STARTED'))
    await assert.rejects(
      ben.request('startTranscription', {}),
      (error) => error instanceof WireError && error.code === 4031,
    )
    const before = Date.now()
    await Promise.all([says(ann, join(folder, 'ann.wav'), 1001), says(ben, join(folder, 'ben.wav'), 1002)])
    await ann.hears('transcriptionText', ({ participantId }) => participantId === 'ben')
    await ben.hears('transcriptionText', ({ participantId }) => participantId === 'ann')
    for (const client of [ann, ben]) {
      const said = textsOf(client).map(({ participantId, participantName, text, type }) => ({
        participantId,
        participantName,
        text,
        type,
      }))
      assert.deepEqual(
        said.sort((one, other) => String(one.participantId).localeCompare(String(other.participantId))),
        [
          { participantId: 'ann', participantName: 'Ann', text: 'umbrella yellow garden', type: 'final' },
          { participantId: 'ben', participantName: 'Ben', text: 'banana telephone', type: 'final' },
        ],
      )
    }
    const { timestamp } = textsOf(ann)[0]!
    assert.ok(typeof timestamp === 'number' && timestamp > before && timestamp < Date.now())

    const ended = await server.rest('POST', `${AI}/end`, { roomId: meetingId })
    assert.equal(ended.status, 200)
    const { id } = ended.body
    await ben.hears('transcriptionStateChanged', isStatus('TRANSCRIPTION_STOPPED'))
    const { body } = await server.rest('GET', `${AI}/${id}`)
    assert.equal(body.status, 'stopped')
    assert.ok(body.end > body.start)
    assert.deepEqual(Object.keys(body.transcriptionFilePaths).sort(), ['json', 'srt', 'tsv', 'txt', 'vtt'])
    const txt = await (await fetch(body.transcriptionFilePaths.txt)).text()
    assert.match(txt, /^\[00:00:\d\d\] Ann: umbrella yellow garden$/m)
    assert.match(txt, /^\[00:00:\d\d\] Ben: banana telephone$/m)
    assert.match(await (await fetch(body.summarizedFilePaths.txt)).text(), /^They said: .*banana telephone/s)

    const list = await server.rest('GET', `${AI}?roomId=${meetingId}`)
    assert.deepEqual([list.body.pageInfo.total, list.body.transcriptions[0].id], [1, id])
    await receiver.until((hooks) => hooks.length >= 4)
    assert.deepEqual(receiver.events, [
      'transcription-starting',
      'transcription-started',
      'transcription-stopping',
      'transcription-stopped',
    ])
  })

  test('what was said in a recording comes back when it has ended, each part at its time', async () => {
    await promisify(execFile)('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-y', '-i', join(folder, 'ann.wav'), '-i', join(folder, 'ben.wav')],
      ...[
        '-f',
        'lavfi',
        '-i',
        'color=c=red:s=64x64:r=5',
        '-filter_complex',
        '[0:a][1:a]concat=n=2:v=0:a=1[a]',
      ],
      ...['-map', '2:v', '-map', '[a]', '-shortest', '-b:a', '192k', join(folder, 'meeting.mp4')],
    ])
    receiver.hooks.length = 0
    const meetingId = await server.createMeeting({
      webhook: { endPoint: receiver.url, events: ['recording-stopped', 'transcription-*'] },
    })
    const host = await enters(meetingId, 'host', 'Host')
    const prompt = 'In one word:'
    const transcription = { enabled: true, summary: { enabled: true, prompt } }
    await host.request('startRecording', { config: null, transcription })
    await host.hears('recordingStarted')
    assert.deepEqual((await server.rest('GET', `${POST}?roomId=${meetingId}`)).body.transcriptions, [])
    await host.request('stopRecording', {})
    const isOver = ({ body }: Hook): boolean => body.webhookType === 'transcription-stopped'
    const hooks = await receiver.until((all) => all.some(isOver))
    assert.deepEqual(receiver.events, ['recording-stopped', 'transcription-started', 'transcription-stopped'])
    const [stopped, , told] = hooks.map(({ body }) => body)
    const { id, recordingId } = told!.data
    assert.deepEqual([told!.data.type, recordingId], ['post', stopped!.data.id])

    const { body } = await server.rest('GET', `${POST}/${id}`)
    assert.deepEqual(
      [body.status, body.roomId, body.recordingId, body.filePath, body.message],
      ['completed', meetingId, recordingId, '/recording.mp4', null],
    )
    assert.deepEqual(body.transcriptionFilePaths, told!.data.transcriptionFilePaths)
    assert.deepEqual(Object.keys(body.transcriptionFilePaths).sort(), ['json', 'srt', 'tsv', 'txt', 'vtt'])
    const read = async (url: string): Promise<string> => (await fetch(url)).text()
    const txt = await read(body.transcriptionFilePaths.txt)
    assert.match(txt, /^\[00:00:0\d\] umbrella yellow garden\n\[00:00:\d\d\] banana telephone\n$/)
    assert.match(await read(body.summarizedFilePaths.txt), /^They said: .*banana telephone/s)
    // Each file has a second of silence before its words.
    const { length } = await readFile(join(folder, 'ann.wav'))
    const secondAt = (length / 2 / 48_000 + 1) * 1000
    const rows = (await read(body.transcriptionFilePaths.tsv)).split('\n').slice(1, 3)
    const began = rows.map((row) => Number(row.split('\t')[0]))
    for (const [at, expected] of [1000, secondAt].entries())
      assert.ok(
        Math.abs(began[at]! + 300 - expected) < 400,
        `part ${at} began at ${began[at]}, not ${expected}`,
      )

    const listed = await server.rest('GET', `/v2/recordings?roomId=${meetingId}&withTranscription=true`)
    assert.deepEqual(listed.body.data[0].transcription, body)
    const plain = await server.rest('GET', `/v2/recordings/${recordingId}`)
    assert.equal('transcription' in plain.body, false)
    assert.equal((await server.rest('DELETE', `/v2/recordings/${recordingId}`)).status, 200)
    assert.equal((await server.rest('GET', `${POST}/${id}`)).status, 404)
    assert.equal((await fetch(body.transcriptionFilePaths.txt)).status, 404)
  })

  test('REST starts one transcription, and a latecomer is told which', async () => {
    const meetingId = await server.createMeeting()
    assert.equal((await server.rest('POST', `${AI}/start`, { roomId: meetingId })).status, 404)
    const ann = await enters(meetingId, 'ann', 'Ann')
    assert.equal((await server.rest('POST', `${AI}/end`, { roomId: meetingId })).status, 409)
    const started = await server.rest('POST', `${AI}/start`, { roomId: meetingId, language: 'en-US' })
    assert.equal(started.status, 200)
    assert.deepEqual([started.body.end, started.body.extension.extensionConfig.roomId], [null, meetingId])
    await ann.hears('transcriptionStateChanged', isStatus('TRANSCRIPTION_STARTED'))
    assert.equal((await server.rest('POST', `${AI}/start`, { roomId: meetingId })).status, 409)
    const late = await enters(meetingId, 'late', 'Late')
    const told = await late.hears('transcriptionStateChanged')
    assert.deepEqual([told.status, told.id], ['TRANSCRIPTION_STARTED', started.body.id])
    await ann.request('stopTranscription', {})
    await late.hears('transcriptionStateChanged', isStatus('TRANSCRIPTION_STOPPED'))
  })
})

const jobsWith = (transcription: TranscriptionEngine): JobEngines =>
  createJobEngines({ ffmpegBin: findFfmpeg(), transcription, diskReserveBytes: 0 })
const recogniserless = {
  endpoint: undefined,
  summaryModel: undefined,
  now: Date.now,
  random: Math.random,
  log,
}

test('without a recogniser a recording is kept, and its text fails with what to set', async (context) => {
  const { transcription } = createOutputs({ transcription: recogniserless })
  const parts = { outputs: { ...promptEngines(), transcription }, jobs: jobsWith(transcription) }
  const server = await TestServer.start({}, parts)
  context.after(() => server.stop())
  const meetingId = await server.createMeeting()
  const host = server.connect({
    token: server.token(['allow_join', 'allow_mod']),
    meetingId,
    participantId: 'host',
  })
  await host.join()
  const start = { roomId: meetingId, transcription: { enabled: true } }
  assert.equal((await server.rest('POST', '/v2/recordings/start', start)).status, 200)
  await host.hears('recordingStarted')
  await server.rest('POST', '/v2/recordings/end', { roomId: meetingId })
  await host.hears('recordingStopped')
  const read = async () =>
    (await server.rest('GET', `/v2/recordings?roomId=${meetingId}&withTranscription=true`)).body.data[0]
  let recording = await read()
  while (recording.transcription.end === null) recording = await read()
  assert.equal(recording.file.filePath, '/recording.mp4')
  assert.equal(recording.transcription.status, 'failed')
  assert.match(recording.transcription.message, /set TRANSCRIPTION_URL/)
})

test('without a recogniser a start is refused with 4021 and says what to set', async (context) => {
  const server = await TestServer.start({}, { outputs: createOutputs({ transcription: recogniserless }) })
  context.after(() => server.stop())
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join', 'allow_mod'])
  const host = server.connect({ token, meetingId, participantId: 'host' })
  await host.join()
  await assert.rejects(
    host.request('startTranscription', {}),
    (error) =>
      error instanceof WireError && error.code === 4021 && error.message.includes('set TRANSCRIPTION_URL'),
  )
})
