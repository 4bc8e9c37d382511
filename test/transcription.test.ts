/** Two members of a real meeting speak over WebRTC; everybody reads what they said. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { RtpPacket } from 'werift'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { Peer, type RemoteTransport } from '../src/load/peer.ts'
import { createSfu } from '../src/media/create.ts'
import type { Sfu } from '../src/media/sfu.ts'
import { createOutputs } from '../src/output/create.ts'
import { freePorts } from './support/ports.ts'
import { Receiver } from './support/receiver.ts'
import { noSpeech, play, speak, startSpeechServer, type SpeechServer } from './support/speech.ts'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

const skip = noSpeech || (locateWorker() ? false : 'no media worker is installed')
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const AI = '/ai/v1/realtime-transcriptions'

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
        now: Date.now,
        random: Math.random,
        log,
      },
    })
    server = await TestServer.start({ webhookAllowPrivate: true }, { sfu, outputs })
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

test('without a recogniser a start is refused with 4021 and says what to set', async (context) => {
  const recogniserless = {
    endpoint: undefined,
    summaryModel: undefined,
    now: Date.now,
    random: Math.random,
    log,
  }
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
