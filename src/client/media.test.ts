/** Sent and received streams, with a server that answers when the test says so, or never. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Device } from 'mediasoup-client'
import * as fakeParameters from 'mediasoup-client/fakeParameters'
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler'
import type { RtpParameters } from '../protocol/media.ts'
import { fakeTrack } from '../../test/support/fake-track.ts'
import { MeetingError } from './errors.ts'
import { Media } from './media.ts'
import type { Stream } from './participant.ts'

type Answer = () => unknown

/** Media on a server with one answer per method; records the requests and the shown streams. */
class Bench {
  readonly asked: string[] = []
  readonly shown: string[] = []
  readonly lost: boolean[] = []
  answers: Record<string, Answer> = {
    getRouterRtpCapabilities: () => fakeParameters.generateRouterRtpCapabilities(),
    createWebRtcTransport: () => fakeParameters.generateTransportRemoteParameters(),
    connectWebRtcTransport: () => ({}),
    produce: () => ({ id: `producer-${this.asked.length}` }),
    closeProducer: () => ({}),
  }
  readonly media: Media

  constructor() {
    const note =
      (what: string) =>
      (stream: Stream): void =>
        void this.shown.push(`${what} ${stream.id}${stream.paused ? ' paused' : ''}`)
    this.media = new Media({
      request: async <T>(method: string) => {
        this.asked.push(method)
        return (await this.answers[method]!()) as T
      },
      iceServers: [],
      participantId: 'me',
      newDevice: () => new Device({ handlerFactory: FakeHandler.createFactory(fakeParameters) }),
      onState: () => undefined,
      onStream: note('show'),
      onStreamGone: note('hide'),
      onStreamChanged: note('change'),
      onLost: (atOnce) => this.lost.push(atOnce),
    })
  }

  static async open(): Promise<Bench> {
    const bench = new Bench()
    await bench.media.open()
    return bench
  }

  consume(id: string, producerPaused = false): Promise<void> {
    const { rtpParameters, producerId } = fakeParameters.generateConsumerRemoteParameters({
      codecMimeType: 'audio/opus',
    })
    return this.media.consume({
      id,
      producerId,
      peerId: 'ann',
      kind: 'audio',
      rtpParameters: rtpParameters as RtpParameters,
      type: 'simple',
      appData: {},
      producerPaused,
    })
  }

  count(method: string): number {
    return this.asked.filter((one) => one === method).length
  }
}

/** An answer that the test gives later. */
function held(): { answer: Answer; give: (value: unknown) => void; asked: Promise<unknown> } {
  const given = Promise.withResolvers()
  const asked = Promise.withResolvers<undefined>()
  return {
    answer: () => {
      asked.resolve(undefined)
      return given.promise
    },
    give: given.resolve,
    asked: asked.promise,
  }
}

const refusal =
  (reason: string): Answer =>
  () =>
    Promise.reject(new MeetingError(5000, reason, 'No.'))
const silence: Answer = () => Promise.reject(new MeetingError(0, 'CONNECTION_FAILED', 'No answer.'))

test('a stream that the server closes while it opens is never shown', async () => {
  const bench = await Bench.open()
  const connecting = held()
  bench.answers.connectWebRtcTransport = connecting.answer
  const first = bench.consume('c1')
  await connecting.asked
  bench.media.drop('c1')
  const second = bench.consume('c2')
  connecting.give({})
  await Promise.all([first, second])
  assert.deepEqual(bench.shown, ['show c2'])
})

test('a stream that is paused while it opens is shown as paused', async () => {
  const bench = await Bench.open()
  const connecting = held()
  bench.answers.connectWebRtcTransport = connecting.answer
  const opening = bench.consume('c1')
  await connecting.asked
  bench.media.setPaused('c1', true)
  connecting.give({})
  await opening
  bench.media.setPaused('c1', false)
  assert.deepEqual(bench.shown, ['show c1 paused', 'change c1'])
})

test('a stream that is offered before the transports exist waits for them', async () => {
  const bench = new Bench()
  const capabilities = held()
  bench.answers.getRouterRtpCapabilities = capabilities.answer
  const opening = bench.media.open()
  const consuming = bench.consume('c1')
  capabilities.give(fakeParameters.generateRouterRtpCapabilities())
  await Promise.all([opening, consuming])
  assert.deepEqual(bench.shown, ['show c1'])
})

test('of two streams of one kind the newer is shown', async () => {
  const bench = await Bench.open()
  await bench.consume('c1')
  await bench.consume('c2')
  bench.media.drop('c2')
  bench.media.forget('ann')
  assert.deepEqual(bench.shown, ['show c1', 'hide c1', 'show c2', 'hide c2', 'show c1', 'hide c1'])
})

test('closing during the setup leaves no transport, and offered streams are not shown', async () => {
  const bench = new Bench()
  const capabilities = held()
  bench.answers.getRouterRtpCapabilities = capabilities.answer
  const opening = bench.media.open()
  const consuming = bench.consume('c1')
  bench.media.close()
  capabilities.give(fakeParameters.generateRouterRtpCapabilities())
  await assert.rejects(opening, MeetingError)
  await consuming
  assert.equal(await bench.media.carry(['audio'], { audio: fakeTrack('audio') }), false)
  assert.deepEqual(bench.shown, [])
})

test('sends, replaces and ends a stream, and reports only changes', async () => {
  const { media, count } = await Bench.open().then((bench) => ({
    media: bench.media,
    count: (method: string) => bench.count(method),
  }))
  const [picture, sound, other] = [fakeTrack('video'), fakeTrack('audio'), fakeTrack('video')]
  assert.equal(await media.carry(['share', 'shareAudio'], { share: picture, shareAudio: sound }), true)
  assert.equal(await media.carry(['share', 'shareAudio'], { share: other, shareAudio: sound }), true)
  assert.equal(count('produce'), 2)
  assert.equal(count('closeProducer'), 0)
  await media.carry(['share', 'shareAudio'], { share: other })
  assert.equal(count('closeProducer'), 1)
  await media.carry(['share', 'shareAudio'], {})
  assert.equal(count('closeProducer'), 2)
})

test('a refused stream is reported as a refusal; an unanswered one makes the client rebuild its media', async () => {
  const bench = await Bench.open()
  const track = fakeTrack('audio')
  bench.answers.produce = refusal('MAX_SPEAKER_REACHED')
  await assert.rejects(bench.media.carry(['audio'], { audio: track }), { reason: 'MAX_SPEAKER_REACHED' })
  assert.deepEqual(bench.lost, [])
  bench.answers.produce = silence
  assert.equal(await bench.media.carry(['audio'], { audio: track }), false)
  assert.deepEqual(bench.lost, [true])
  // The media worker died, and the server has not reported it yet.
  bench.answers.produce = refusal('NOT_FOUND')
  assert.equal(await bench.media.carry(['audio'], { audio: track }), false)
  assert.deepEqual(bench.lost, [true, false])
})

test('reports a stream that the browser cannot send', async () => {
  const bench = await Bench.open()
  const track = fakeTrack('audio')
  track.stop()
  await assert.rejects(bench.media.carry(['audio'], { audio: track }), { reason: 'MEDIA_FAILED' })
})

test('a stream ends when the server says so, and counts as ended if the server does not know it', async () => {
  const bench = await Bench.open()
  const send = async (): Promise<void> => {
    assert.equal(await bench.media.carry(['audio'], { audio: fakeTrack('audio') }), true)
  }
  await send()
  let refusals = 0
  bench.answers.closeProducer = () => (++refusals < 3 ? refusal('RATE_LIMITED')() : {})
  assert.equal(await bench.media.carry(['audio'], {}), true)
  assert.equal(refusals, 3)

  await send()
  bench.answers.closeProducer = refusal('NOT_FOUND')
  assert.equal(await bench.media.carry(['audio'], {}), true)
  assert.deepEqual(bench.lost, [])

  for (const answer of [silence, refusal('INVALID_STATE'), refusal('SOMETHING_WENT_WRONG')]) {
    const other = await Bench.open()
    await other.media.carry(['audio'], { audio: fakeTrack('audio') })
    other.answers.closeProducer = answer
    assert.equal(await other.media.carry(['audio'], {}), false)
    assert.deepEqual(other.lost, [true])
  }
})
