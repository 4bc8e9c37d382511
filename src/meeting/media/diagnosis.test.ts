import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diagnose, isSuspicious, type Cause, type Measurement } from './diagnosis.ts'
import { qualityFrom, type Quality } from './quality.ts'

/** A call in which all is well. */
const GOOD: Partial<Quality> = {
  sendAudioPackets: 500,
  sendAudioLost: 0,
  sendVideoPackets: 2000,
  sendVideoLost: 3,
  receiveAudioPackets: 500,
  receiveAudioLost: 1,
  receiveVideoPackets: 2000,
  receiveVideoLost: 2,
  sendLinePercentLost: 0,
  receiveLinePercentLost: 0.2,
  receiveReportBitrate: 20_000,
  sendIce: 2,
  receiveIce: 2,
  cameraScore: 10,
  videosWanted: 5,
  videosHeld: 0,
  videosMissing: 0,
  keyFramesAsked: 1,
  worker: 0,
  workerLosses: 0,
  workerAnswerMs: 3,
  eventLoopLagMs: 1,
}
const quality = (bad: Partial<Quality> = {}): Quality => ({ ...qualityFrom([]), ...GOOD, ...bad })
const NAMES: Record<string, string> = { ann: 'Ann', bob: 'Bob', cem: 'Cem', dan: 'Dan' }
const SECOND = 1000

interface Case {
  what: string
  /** Of Ann; each is one measurement, 10 s after the one before. */
  ann: Partial<Quality>[]
  bob?: Partial<Quality>
  cem?: Partial<Quality>
  is?: { cause: Cause; who: string | null; from: number; to: number; says: RegExp }
}

function stretchesOf({ ann, bob = {}, cem = {} }: Case) {
  const own = ann.map((bad, index): Measurement => ({
    participantId: 'ann',
    at: (index + 1) * 10 * SECOND,
    quality: quality(bad),
  }))
  const others = own
    .filter((one) => isSuspicious(one.quality))
    .flatMap(({ at }): Measurement[] => [
      { participantId: 'bob', at, quality: quality(bob) },
      { participantId: 'cem', at, quality: quality(cem) },
      { participantId: 'dan', at, quality: quality() },
    ])
  return diagnose(own, others, (id) => NAMES[id]!)
}

const lossyLine = { receiveLinePercentLost: 22.4, receiveVideoLost: 500 }
const cases: Case[] = [
  { what: 'a good call', ann: [{}, {}, {}] },
  { what: 'loss that nobody notices', ann: [{ receiveLinePercentLost: 3 }, { sendVideoLost: 40 }, {}] },
  {
    what: 'pictures held back for a moment, as when they begin',
    ann: [{ videosHeld: 2, receiveAvailableBitrate: 300_000 }, {}],
  },
  {
    what: 'key frames that were asked for in one measurement alone',
    ann: [{}, { keyFramesAsked: 5, receiveLinePercentLost: null }, {}],
    is: { cause: 'device', who: 'ann', from: 10, to: 20, says: /device of Ann .* 5 times/ },
  },
  {
    what: 'frames that her device dropped',
    ann: [{}, { framesPercentDropped: 41.2 }, { framesPercentDropped: 12 }, {}],
    is: {
      cause: 'device',
      who: 'ann',
      from: 10,
      to: 20,
      says: /^The device of Ann was too slow: it did not show up to 41 % of the frames/,
    },
  },
  {
    what: 'frames that her device dropped while her line lost packets, as those of broken pictures',
    ann: [{}, { framesPercentDropped: 41, ...lossyLine }, {}],
    is: { cause: 'receiver-line', who: 'ann', from: 10, to: 20, says: /^The line of Ann/ },
  },
  {
    what: 'a processor that was busy for a moment, as when a picture begins',
    ann: [{}, { encodesTooSlowly: 1 }, {}],
  },
  {
    what: 'a processor that was too busy to send all',
    ann: [{}, { encodesTooSlowly: 1 }, { encodesTooSlowly: 1 }, { encodesTooSlowly: 0 }],
    is: { cause: 'device', who: 'ann', from: 10, to: 30, says: /processor was too busy to send/ },
  },
  {
    what: 'a worker that died, although a line is bad as well',
    ann: [{}, { workerLosses: 1, ...lossyLine }, {}],
    is: { cause: 'server', who: null, from: 10, to: 20, says: /media worker died .* media of Ann/ },
  },
  {
    what: 'an event loop that was late',
    ann: [{}, { eventLoopLagMs: 2340, workerAnswerMs: 2400 }],
    is: { cause: 'server', who: null, from: 10, to: 20, says: /event loop was up to 2\.3 s late/ },
  },
  {
    what: 'a worker that answered late',
    ann: [{}, { workerAnswerMs: 1500 }],
    is: { cause: 'server', who: null, from: 10, to: 20, says: /took up to 1\.5 s to answer/ },
  },
  {
    what: 'most of those on one worker at once',
    ann: [{}, lossyLine],
    bob: { receiveLinePercentLost: 9 },
    cem: { sendVideoLost: 400 },
    is: { cause: 'server', who: null, from: 10, to: 20, says: /3 of 4 participants/ },
  },
  {
    what: 'the same, with the others on another worker',
    ann: [{}, lossyLine],
    bob: { receiveLinePercentLost: 9, worker: 1 },
    cem: { receiveLinePercentLost: 9, worker: 1 },
    is: { cause: 'receiver-line', who: 'ann', from: 10, to: 20, says: /^The line of Ann .* 22 % .* lost\.$/ },
  },
  {
    what: 'her own line, with what she sends',
    ann: [{}, { sendVideoLost: 500 }, { sendVideoLost: 222 }, {}],
    is: {
      cause: 'sender-line',
      who: 'ann',
      from: 10,
      to: 30,
      says: /^The line of Ann .* 20 % of the packets that they sent were lost\.$/,
    },
  },
  {
    what: 'somebody else’s line',
    ann: [{}, { receiveVideoLost: 300 }, {}],
    bob: { sendVideoLost: 300 },
    is: {
      cause: 'sender-line',
      who: 'bob',
      from: 10,
      to: 20,
      says: /^The line of Bob .* and Ann received that\.$/,
    },
  },
  {
    what: 'a sender whose picture is gone with the voice',
    ann: [{ videosMissing: 1 }, { videosMissing: 1 }],
    bob: { cameraScore: 0, sendAudioPackets: 0, sendVideoPackets: 0 },
    is: {
      cause: 'sender-line',
      who: 'bob',
      from: 0,
      to: 20,
      says: /Bob .* nothing of their picture arrived/,
    },
  },
  {
    what: 'a sender whose connection is interrupted',
    ann: [{ videosMissing: 1 }, { videosMissing: 1 }],
    bob: { sendIce: 3 },
    is: { cause: 'sender-line', who: 'bob', from: 0, to: 20, says: /Bob .* interrupted/ },
  },
  {
    what: 'two senders, the worse one',
    ann: [{}, { receiveVideoLost: 300 }],
    bob: { sendVideoLost: 200, worker: 1 },
    cem: { sendVideoLost: 900, worker: 2 },
    is: { cause: 'sender-line', who: 'cem', from: 10, to: 20, says: /Cem/ },
  },
  {
    what: 'her own line, with a sender who is bad too',
    ann: [{}, lossyLine],
    bob: { sendVideoLost: 300 },
    is: { cause: 'receiver-line', who: 'ann', from: 10, to: 20, says: /Nobody else received badly/ },
  },
  {
    what: 'her own line, too narrow for pictures, with a good measurement between',
    ann: [
      {},
      { videosHeld: 4, receiveAvailableBitrate: 130_400 },
      {},
      { videosHeld: 2, receiveAvailableBitrate: 200_000 },
      {},
    ],
    is: {
      cause: 'receiver-line',
      who: 'ann',
      from: 10,
      to: 40,
      says: /up to 4 of 5 pictures were held back, because the line took only 130 kbit\/s/,
    },
  },
  {
    what: 'a device that is silent',
    ann: [{}, { receiveReportBitrate: 0 }],
    is: { cause: 'receiver-line', who: 'ann', from: 10, to: 20, says: /answered nothing/ },
  },
  {
    what: 'her connection, interrupted',
    ann: [{}, { receiveIce: 3 }],
    is: {
      cause: 'receiver-line',
      who: 'ann',
      from: 10,
      to: 20,
      says: /connection on which they receive was interrupted/,
    },
  },
  {
    what: 'a device that sends no picture while the voice arrives',
    ann: [{ cameraScore: 0 }, { cameraScore: 0 }],
    is: { cause: 'device', who: 'ann', from: 0, to: 20, says: /^The camera of Ann .* voice arrived\.$/ },
  },
  {
    what: 'the same of another',
    ann: [{ videosMissing: 1 }, { videosMissing: 1 }],
    bob: { cameraScore: 0 },
    is: {
      cause: 'device',
      who: 'bob',
      from: 0,
      to: 20,
      says: /^The camera of Bob .* and Ann received that\.$/,
    },
  },
]

for (const one of cases)
  test(`diagnoses ${one.what}`, () => {
    const found = stretchesOf(one)
    if (!one.is) return assert.deepEqual(found, [])
    assert.equal(found.length, 1, JSON.stringify(found))
    const { sentence, cause, participantId, from, to, evidence } = found[0]!
    const { says, ...is } = one.is
    assert.deepEqual({ cause, who: participantId, from: from / SECOND, to: to / SECOND }, is)
    assert.match(sentence, says)
    assert.ok(Object.keys(evidence).length > 0)
  })

test('two causes are two stretches, and the same cause long after is another one', () => {
  const good = Array.from({ length: 5 }, () => ({}))
  const found = stretchesOf({ what: '', ann: [{}, lossyLine, { sendVideoLost: 500 }, ...good, lossyLine] })
  assert.deepEqual(
    found.map(({ cause }) => cause),
    ['receiver-line', 'sender-line', 'receiver-line'],
  )
})

test('measurements of an older version, without most figures, say nothing wrong', () => {
  const own = [10, 20].map((at) => ({ participantId: 'ann', at, quality: qualityFrom([30_000, 0, 2]) }))
  assert.deepEqual(diagnose(own, [], String), [])
  assert.deepEqual(diagnose([], [], String), [])
})
