import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compositionOf, type CompositionConfig } from '../../protocol/outputs.ts'
import { canShare, compositionsFor, lookOf, sizeOf, videoBitrateOf } from './budget.ts'

test('a machine carries one composition per two cores, and at least one', () => {
  for (const [cores, compositions] of [
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [16, 8],
  ] as const)
    assert.equal(compositionsFor(cores), compositions, `${cores} cores`)
})

const rows: [wanted: CompositionConfig, running: CompositionConfig, shares: boolean, why: string][] = [
  [{}, {}, true, 'nothing was asked for'],
  [{}, { layout: { type: 'SIDEBAR' }, quality: 'high' }, true, 'who asks for nothing takes what there is'],
  [{ quality: 'high' }, {}, false, 'another size'],
  [{ theme: 'LIGHT' }, { theme: 'DARK' }, false, 'another theme'],
  [
    { layout: { type: 'GRID' } },
    { layout: { type: 'GRID', gridSize: 25 } },
    true,
    'the same, said otherwise',
  ],
  [{ layout: { gridSize: 4 } }, { layout: { gridSize: 9 } }, false, 'fewer tiles'],
  [{}, { mode: 'audio' }, false, 'sound alone has no picture to give'],
  [{ mode: 'audio' }, {}, false, 'sound alone is made with less'],
  [{ orientation: 'portrait' }, { orientation: 'portrait' }, true, 'both upright'],
]

for (const [wanted, running, shares, why] of rows)
  test(`${shares ? 'two outputs share a composition' : 'two outputs need two compositions'}: ${why}`, () => {
    assert.equal(canShare(compositionOf(wanted), compositionOf(running)), shares)
  })

test('a browser gets the layout of a livestream, but not its key', () => {
  const look = compositionOf({ quality: 'low' })
  const config = {
    ...look,
    record: false,
    targets: [{ url: 'rtmp://live.example.org', streamKey: 'secret' }],
  }
  assert.deepEqual(lookOf(config), look)
})

test("a caller's page is shared only by outputs that name the same page", () => {
  const template = compositionOf({}, 'https://app.example.org/recorder')
  assert.equal(canShare(compositionOf({}), template), false)
  assert.equal(canShare(template, compositionOf({})), false)
  assert.equal(canShare(template, template), true)
})

test('the size of the video follows from its quality and orientation, in even numbers as H264 requires', () => {
  assert.deepEqual(sizeOf(compositionOf({})), { width: 1280, height: 720 })
  assert.deepEqual(sizeOf(compositionOf({ quality: 'low', orientation: 'portrait' })), {
    width: 480,
    height: 854,
  })
  for (const quality of ['low', 'med', 'high', 'ultra'] as const) {
    const { width, height } = sizeOf(compositionOf({ quality }))
    assert.deepEqual([width % 2, height % 2], [0, 0], quality)
  }
  assert.equal(videoBitrateOf(compositionOf({})), 2_500_000)
})
