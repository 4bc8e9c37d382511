import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  capabilitiesFor,
  hidesRefusal,
  rtpParametersFrom,
  signsOfBrowser,
  signsOfJoin,
  traitsOf,
  type ClientSign,
} from './clients.ts'
import type { RtpCapabilities, RtpParameters } from './media.ts'

const SOUND_LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'
const SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'
const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid'

test('recognises a browser by its user agent', () => {
  const agent = (browser: string): string => `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 ${browser}`
  const cases: [userAgent: string | undefined, signs: ClientSign[]][] = [
    [undefined, []],
    ['', []],
    [agent('(KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36'), []],
    [agent('(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'), ['chromium140']],
    [agent('(KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36'), ['chromium140']],
    [agent('(KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0'), ['chromium140']],
    [agent('(KHTML, like Gecko) Version/26.0 Safari/605.1.15'), []],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0', []],
    ['Chrome/', []],
    ['Chrome/99999999999999.', []],
  ]
  for (const [userAgent, signs] of cases) assert.deepEqual(signsOfBrowser(userAgent), signs, userAgent)
})

test('recognises the mediasoup-client of a client by the order of codec fields in join', () => {
  const opus = { mimeType: 'audio/opus', kind: 'audio', clockRate: 48_000 } as const
  const { kind, ...rest } = opus
  const join = (codec: object, more = {}): ClientSign[] =>
    signsOfJoin({ rtpCapabilities: { codecs: [codec] } as RtpCapabilities, ...more })
  assert.deepEqual(join(opus), ['mimeTypeFirst'])
  assert.deepEqual(join({ kind, ...rest }), [])
  assert.deepEqual(join(opus, { batchingEnabled: true }), ['batching'])
  assert.deepEqual(signsOfJoin({ rtpCapabilities: {} }), [])
  assert.deepEqual(signsOfJoin({}), [])
})

test('hides a refusal that the SDK would swallow, and reports it once if it has its own code', () => {
  const cases: [method: string, signs: ClientSign[], hides: boolean][] = [
    ['removePeer', [], true],
    ['removePeer', ['protoo', 'oldMode'], true],
    ['removePeer', ['batching'], false],
    ['removePeer', ['batching', 'beforeOne'], true],
    ['pubsubSubscribe', [], true],
    ['pubsubSubscribe', ['batching', 'pubsub'], true],
    ['pubsubPublish', [], false],
    ['pubsubPublish', ['protoo'], true],
    ['pubsubPublish', ['mimeTypeFirst'], true],
    ['pubsubPublish', ['batching', 'beforeOne'], false],
    ['startHls', [], false],
    ['startHls', ['protoo', 'oldMode'], true],
    ['startHls', ['protoo'], false],
    ['startRecording', ['protoo', 'oldMode'], false],
    ['no such request', [], false],
  ]
  for (const [method, signs, hides] of cases)
    assert.equal(hidesRefusal(traitsOf(...signs), method), hides, `${method} ${String(signs)}`)
})

const router: RtpCapabilities = {
  codecs: [
    { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 100 },
    { kind: 'video', mimeType: 'video/VP9', clockRate: 90_000, parameters: { 'profile-id': 0 } },
    { kind: 'video', mimeType: 'video/rtx', clockRate: 90_000, parameters: { apt: 101 } },
  ],
  headerExtensions: [
    { kind: 'audio', uri: SOUND_LEVEL, preferredId: 10, direction: 'sendrecv' },
    { kind: 'video', uri: SEND_TIME, preferredId: 4, direction: 'sendrecv' },
    { kind: 'video', uri: MID, preferredId: 1, direction: 'recvonly' },
  ],
}
const sent: RtpParameters = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000 }],
  headerExtensions: [{ uri: MID, id: 4 }],
}

test('changes header extension numbers only for a client that numbers them wrongly in a browser that refuses them', () => {
  const cases: [ClientSign[], told: boolean][] = [
    [[], false],
    [['protoo'], false],
    [['chromium140'], false],
    [['mimeTypeFirst'], false],
    [['batching', 'chromium140'], false],
    [['protoo', 'chromium140'], true],
    [['chromium140', 'mimeTypeFirst'], true],
  ]
  for (const [signs, told] of cases) {
    const traits = traitsOf(...signs)
    assert.equal(capabilitiesFor(traits, router) !== router, told, String(signs))
    assert.equal(rtpParametersFrom(traits, 'audio', sent) !== sent, told, String(signs))
  }
})

test('such a client sends the header extensions listed in its codec parameters', () => {
  const traits = traitsOf('protoo', 'chromium140')
  const { codecs, headerExtensions } = capabilitiesFor(traits, router)
  const [opus, vp9, rtx] = codecs!
  assert.deepEqual(rtx, router.codecs![2])
  assert.equal(vp9!.parameters!['profile-id'], 0)
  // An app that sets these parameters changes them in place; parameters after the lines would be lost.
  assert.deepEqual(Object.keys(opus!.parameters!), [
    'stereo',
    'useinbandfec',
    'usedtx',
    'maxplaybackrate',
    'ptime',
    'x-lines',
  ])
  assert.equal(Object.keys(vp9!.parameters!).at(-1), 'x-lines')
  // It receives all extensions, and sends none of its own that matters.
  assert.deepEqual(
    headerExtensions!.map(({ direction }) => direction),
    ['sendonly', 'sendrecv', 'inactive'],
  )

  // The browser and the media server get the same numbers.
  for (const [kind, codec] of [
    ['audio', opus],
    ['video', vp9],
  ] as const) {
    const [first, ...lines] = String(codec!.parameters!['x-lines']).split('\r\n')
    assert.equal(first, '1')
    assert.equal(lines.pop(), 'a=x-rest:')
    assert.deepEqual(
      rtpParametersFrom(traits, kind, sent).headerExtensions!.map(({ uri, id }) => `a=extmap:${id} ${uri}`),
      lines,
    )
  }
})
