import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonOf, srtOf, tsvOf, txtOf, vttOf, type Line } from './texts.ts'
import { wavOf } from './wav.ts'

const startedAt = 1_700_000_000_000
const line = (fields: Partial<Line>): Line => ({
  id: '1',
  participantId: 'p1',
  participantName: 'Ann',
  text: 'good morning',
  timestamp: startedAt + 1500,
  endedAt: startedAt + 3250,
  ...fields,
})
const two = [
  line({
    id: '2',
    participantName: 'Ben',
    text: 'good night',
    timestamp: startedAt + 3_725_000,
    endedAt: startedAt + 3_726_007,
  }),
  line({}),
]

test('where nobody knows who spoke, nobody is named', () => {
  const unnamed = [line({ participantId: '', participantName: '', text: 'good\tmorning' })]
  assert.equal(txtOf(unnamed, startedAt), '[00:00:01] good morning\n')
  assert.equal(srtOf(unnamed, startedAt), '1\n00:00:01,500 --> 00:00:03,250\ngood morning\n\n')
  assert.equal(vttOf(unnamed, startedAt), 'WEBVTT\n\n00:00:01.500 --> 00:00:03.250\ngood morning\n\n')
  assert.equal(tsvOf(unnamed, startedAt), 'start\tend\ttext\n1500\t3250\tgood morning\n')
})

for (const [of, expected] of [
  [txtOf, '[00:00:01] Ann: good morning\n[01:02:05] Ben: good night\n'],
  [
    srtOf,
    '1\n00:00:01,500 --> 00:00:03,250\nAnn: good morning\n\n2\n01:02:05,000 --> 01:02:06,007\nBen: good night\n\n',
  ],
  [
    vttOf,
    'WEBVTT\n\n00:00:01.500 --> 00:00:03.250\n<v Ann>good morning\n\n01:02:05.000 --> 01:02:06.007\n<v Ben>good night\n\n',
  ],
  [tsvOf, 'start\tend\ttext\n1500\t3250\tAnn: good morning\n3725000\t3726007\tBen: good night\n'],
] as const) {
  test(`${of.name} writes in the order of speaking`, () => assert.equal(of(two, startedAt), expected))
}

test('writes JSON with the instants', () => {
  assert.deepEqual(JSON.parse(jsonOf(two, startedAt)), { startedAt, transcripts: [two[1], two[0]] })
})

const hostile = line({ participantName: 'A\n\nB<b>', text: '1\r\n\r\n2 --> 3 & <i>4\u2028' })
for (const [of, expected] of [
  [txtOf, '[00:00:01] A B<b>: 1 2 --> 3 & <i>4\n'],
  [srtOf, '1\n00:00:01,500 --> 00:00:03,250\nA B<b>: 1 2 -> 3 & <i>4\n\n'],
  [vttOf, 'WEBVTT\n\n00:00:01.500 --> 00:00:03.250\n<v A B&lt;b&gt;>1 2 --&gt; 3 &amp; &lt;i&gt;4\n\n'],
] as const) {
  test(`${of.name} lets no text break out of its line`, () =>
    assert.equal(of([hostile], startedAt), expected))
}

test('names who has no name by the id', () => {
  assert.equal(txtOf([line({ participantName: '' })], startedAt), '[00:00:01] p1: good morning\n')
})

test('shows nothing before the beginning', () => {
  assert.equal(txtOf([line({ timestamp: startedAt - 400 })], startedAt), '[00:00:00] Ann: good morning\n')
})

test('writes WAV', () => {
  assert.equal(
    wavOf(Int16Array.from([1, -2]), 16_000).toString('hex'),
    [
      ...['52494646', '28000000', '57415645', '666d7420', '10000000', '0100', '0100'],
      ...['803e0000', '007d0000', '0200', '1000', '64617461', '04000000', '0100', 'feff'],
    ].join(''),
  )
})
