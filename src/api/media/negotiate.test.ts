/** Offers of real programs, as the contract describes them, and what is answered (contract, outputs §6.2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeSfu } from '../../media/fake/sfu.ts'
import { Refusal } from '../../protocol/errors.ts'
import { writeAnswer } from './answer.ts'
import { decidePatch, readFragment } from './fragment.ts'
import { fromSmallest, giveToReceiver, payloadTypesOf, takeFromSender } from './negotiate.ts'
import { readOffer, type Way } from './offer.ts'
import { audio, ffmpeg, obs, offerOf, video } from '../../../test/support/offers.ts'

const router = await createFakeSfu().openRouter()
const { rtpCapabilities } = router

async function answerTo(text: string, way: Way = 'send'): Promise<string> {
  const offer = readOffer(text, way)
  const transport = await router.createTransport({ direction: way })
  const media =
    way === 'send'
      ? offer.media.map((one) => takeFromSender(one, rtpCapabilities).answered)
      : await receiverMedia(text)
  const setup = offer.dtls.role === 'server' ? 'active' : 'passive'
  return writeAnswer({ media, transport, way, setup, streamId: 's' })
}

async function receiverMedia(text: string) {
  const { media } = readOffer(text, 'receive')
  const own = await createFakeSfu().openRouter({ payloadTypes: payloadTypesOf(media) })
  return giveToReceiver(media, own.rtpCapabilities).answered
}

const producersOf = (text: string) =>
  readOffer(text, 'send').media.map((one) => takeFromSender(one, rtpCapabilities).rtpParameters)

test('the answer to OBS has each field that it reads', async () => {
  const answer = await answerTo(obs())
  for (const line of [
    'v=0',
    'a=ice-lite',
    'a=group:BUNDLE 0 1',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1',
    'a=rtcp-fb:96 nack',
    'a=rtcp-fb:96 nack pli',
    'a=setup:passive',
    'a=recvonly',
    'a=rtcp-mux',
    'a=mid:0',
    'a=mid:1',
  ])
    assert.ok(answer.split('\r\n').includes(line), `${line} is missing in\n${answer}`)
  assert.doesNotMatch(answer, /goog-remb|transport-cc/, 'feedback that was not offered')
  assert.match(answer, /^a=ice-ufrag:\S+\r?$/m)
  assert.match(answer, /^a=fingerprint:sha-256 /m)
})

test('simulcast of OBS is taken as a whole, the largest layer last for the media server', async () => {
  const text = obs({ layers: 3 })
  const answer = await answerTo(text)
  assert.match(answer, /^a=simulcast:recv 0;1;2\r?$/m)
  for (const rid of [0, 1, 2]) assert.match(answer, new RegExp(`^a=rid:${rid} recv\r?$`, 'm'))
  const [, picture] = producersOf(text)
  assert.deepEqual(
    picture!.encodings!.map(({ rid }) => rid),
    ['2', '1', '0'],
  )
  assert.deepEqual(
    picture!.headerExtensions!.map(({ id }) => id),
    [1, 2],
  )
})

for (const [rids, expected] of [
  [
    ['0', '1', '2'],
    ['2', '1', '0'],
  ],
  [
    ['h', 'm', 'l'],
    ['l', 'm', 'h'],
  ],
  [
    ['f', 'h', 'q'],
    ['q', 'h', 'f'],
  ],
  [
    ['high', 'low'],
    ['low', 'high'],
  ],
  [
    ['r0', 'r1'],
    ['r0', 'r1'],
  ],
] as const)
  test(`layers ${rids.join(' ')} are ${expected.join(' ')} from the smallest`, () =>
    assert.deepEqual(fromSmallest(rids.map((rid) => ({ rid, maxWidth: undefined }))), expected))

test('declared widths decide the order of layers', () => {
  const layers = [
    { rid: 'a', maxWidth: 1280 },
    { rid: 'b', maxWidth: 320 },
  ]
  assert.deepEqual(fromSmallest(layers), ['b', 'a'])
})

test('the answer to ffmpeg is active, short, and has a host candidate over UDP first', async () => {
  const answer = await answerTo(ffmpeg())
  assert.ok(answer.startsWith('v='))
  assert.ok(answer.length < 8192)
  assert.match(answer, /^a=setup:active\r?$/m)
  assert.match(
    answer.split('\n').find((line) => line.startsWith('a=candidate:'))!,
    / udp .* typ host/i,
  )
  assert.match(answer, /^a=fmtp:106 .*profile-level-id=64001f/m)
})

test('H264 of every profile is sent on as the profile that everybody takes, stereo as stereo', () => {
  const [sound, picture] = producersOf(ffmpeg())
  assert.equal(picture!.codecs[0]!.parameters!['profile-level-id'], '42e01f')
  assert.equal(picture!.codecs[0]!.parameters!['packetization-mode'], 1)
  assert.equal(producersOf(obs())[0]!.codecs[0]!.parameters!['sprop-stereo'], 1)
  assert.equal(sound!.codecs[0]!.channels, 2)
})

test('a receiver gets its own payload types, and no header extension that has another id', async () => {
  const text = offerOf(
    audio('recvonly'),
    video('recvonly', ['96 VP8', '102 H264 profile-level-id=42e01f;packetization-mode=1', '45 AV1']),
  )
  const answer = await answerTo(text, 'receive')
  assert.match(answer, /^m=video 9 UDP\/TLS\/RTP\/SAVPF 96 102 45\r?$/m)
  assert.match(answer, /^a=sendonly\r?$/m)
  assert.doesNotMatch(answer, /^a=(ssrc|extmap):/m)
})

const line = (text: string): string => text.replaceAll('\n', '\r\n')
const good = offerOf(audio('sendonly'), video('sendonly', ['96 VP8']))
for (const [what, text, code] of [
  ['nothing', '', 'INVALID_REQUEST'],
  ['garbage', 'hello', 'INVALID_REQUEST'],
  ['JSON', '{"sdp":"v=0"}', 'INVALID_REQUEST'],
  ['no media', line('v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\n'), 'INVALID_REQUEST'],
  ['two audio', offerOf(audio('sendonly', 0), audio('sendonly', 1)), 'NOT_ACCEPTABLE'],
  [
    'data channels',
    offerOf(audio('sendonly'), 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1'),
    'NOT_ACCEPTABLE',
  ],
  ['no ICE', good.replaceAll(/a=ice-(ufrag|pwd):.*\r\n/g, ''), 'INVALID_REQUEST'],
  ['no fingerprint', good.replaceAll(/a=fingerprint:.*\r\n/g, ''), 'INVALID_REQUEST'],
  ['a bad fingerprint', good.replaceAll(/(a=fingerprint:sha-256 ).*\r\n/g, '$1AA\r\n'), 'INVALID_REQUEST'],
  ['a bad setup', good.replaceAll('a=setup:actpass', 'a=setup:holdconn'), 'INVALID_REQUEST'],
  ['no multiplexing', good.replaceAll('a=rtcp-mux\r\n', ''), 'NOT_ACCEPTABLE'],
  ['no bundle', good.replaceAll(/a=group:.*\r\n/g, ''), 'NOT_ACCEPTABLE'],
  ['the same mid twice', good.replaceAll('a=mid:1', 'a=mid:0'), 'INVALID_REQUEST'],
  ['the wrong direction', good.replaceAll('sendonly', 'recvonly'), 'NOT_ACCEPTABLE'],
  ['media without encryption', good.replaceAll('UDP/TLS/RTP/SAVPF', 'RTP/AVP'), 'NOT_ACCEPTABLE'],
  ['ICE lite', good.replace('t=0 0\r\n', 't=0 0\r\na=ice-lite\r\n'), 'NOT_ACCEPTABLE'],
  ['switched off', good.replace('m=video 9', 'm=video 0'), 'NOT_ACCEPTABLE'],
  ['the same payload type twice', `${good}a=rtpmap:96 VP9/90000\r\n`, 'INVALID_REQUEST'],
  ['a payload type beyond 127', `${good}a=rtpmap:128 VP9/90000\r\n`, 'INVALID_REQUEST'],
  ['the SSRC 0', good.replaceAll('a=ssrc:2222', 'a=ssrc:0'), 'INVALID_REQUEST'],
  ['an SSRC beyond 32 bits', good.replaceAll('a=ssrc:2222', 'a=ssrc:4294967296'), 'INVALID_REQUEST'],
  ['a pair of SSRCs that is none', `${good}a=ssrc-group:FID x y\r\n`, 'INVALID_REQUEST'],
  ['the same layer twice', `${good}a=simulcast:send 0;0\r\n`, 'INVALID_REQUEST'],
  ['a layer with a long name', `${good}a=simulcast:send 0;${'x'.repeat(65)}\r\n`, 'INVALID_REQUEST'],
  ['nine layers', `${good}a=simulcast:send 0;1;2;3;4;5;6;7;8\r\n`, 'INVALID_REQUEST'],
] as const)
  test(`an offer with ${what} is refused`, () =>
    assert.throws(
      () => readOffer(text, 'send'),
      (error) => error instanceof Refusal && error.code === code,
    ))

test('texts that look like numbers are read as texts', () => {
  for (const more of [
    'a=simulcast:send 1',
    'a=rid:0 send 5\r\na=rid:1 send 6\r\na=simulcast:send 0;1',
    'a=ssrc-group:FID 2222',
    'a=fmtp:96 1',
    'a=rtpmap:97 264/90000',
    'a=rtcp-fb:96 1 2',
    'a=extmap:1 5',
  ])
    assert.equal(producersOf(`${good}${more}\r\n`)[1]!.codecs[0]!.mimeType, 'video/vp8', more)
})

test('feedback that is offered many times is answered once', async () => {
  const answer = await answerTo(`${good}${'a=rtcp-fb:* nack\r\n'.repeat(1000)}`)
  assert.equal(answer.match(/^a=rtcp-fb:96 nack\r$/gm)!.length, 1)
})

test('a header extension is taken once, and only with an id that packets can have', async () => {
  const other = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id'
  const mid = 'urn:ietf:params:rtp-hdrext:sdes:mid'
  const answer = await answerTo(
    `${good}a=extmap:5 ${mid}\r\na=extmap:4096 ${other}\r\na=extmap:0 ${other}\r\n`,
  )
  assert.deepEqual(answer.match(/^a=extmap:.*/gm), [`a=extmap:4 ${mid}`, `a=extmap:4 ${mid}`])
})

test('one codec that is not taken refuses the whole offer', () => {
  const { media } = readOffer(offerOf(audio('sendonly'), video('sendonly', ['96 H265'])), 'send')
  assert.throws(
    () => media.map((one) => takeFromSender(one, rtpCapabilities)),
    (error) => error instanceof Refusal && error.status === 406 && error.message.includes('H265'),
  )
})

const session = { etag: '"1"', ice: { usernameFragment: 'abcd', password: 'x'.repeat(24) } }
const fragment = (ufrag: string): string => `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${'p'.repeat(24)}\r\n`
for (const [ifMatch, body, expected] of [
  [undefined, fragment('abcd'), 'PRECONDITION_REQUIRED'],
  ['"2"', fragment('abcd'), 'PRECONDITION_FAILED'],
  ['"1"', fragment('abcd'), 'trickle'],
  ['"1"', 'a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n', 'trickle'],
  ['*', fragment('abcd'), 'trickle'],
  ['*', fragment('efgh'), 'restart'],
  ['"1"', 'nonsense', 'INVALID_REQUEST'],
  ['"1"', '', 'INVALID_REQUEST'],
  ['"1"', 'a=ice-ufrag:efgh\r\n', 'UNPROCESSABLE'],
] as const)
  test(`a PATCH with If-Match ${ifMatch} and ${JSON.stringify(body.slice(0, 16))}: ${expected}`, () => {
    const decide = (): string => {
      try {
        return decidePatch(ifMatch, readFragment(body), session)
      } catch (error) {
        return (error as Refusal).code
      }
    }
    assert.equal(decide(), expected)
  })

test('the offer that the refused ones are made of is taken', () => {
  assert.deepEqual(
    readOffer(good, 'send').media.map(({ kind }) => kind),
    ['audio', 'video'],
  )
})

test('a medium with port 0 that exists only in the bundle is offered', () => {
  const offer = good.replace('m=video 9', 'm=video 0').replace('a=mid:1', 'a=mid:1\r\na=bundle-only')
  assert.deepEqual(
    readOffer(offer, 'send').media.map(({ kind }) => kind),
    ['audio', 'video'],
  )
})
