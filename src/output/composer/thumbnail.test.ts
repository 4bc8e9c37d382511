import assert from 'node:assert/strict'
import { test } from 'node:test'
import { segmentAt } from './thumbnail.ts'

const segments = [2, 2.5, 1].map((seconds, i) => ({
  uri: `${i}.ts`,
  seconds,
  at: undefined,
  isBreak: i === 0,
}))

for (const [time, uri, seconds] of [
  [undefined, '2.ts', undefined],
  [0, '0.ts', 0],
  [1.5, '0.ts', 1.5],
  [2, '1.ts', 0],
  [4.75, '2.ts', 0.25],
  [-1, '0.ts', 0],
] as const)
  test(`the picture of ${time === undefined ? 'now' : `second ${time}`} is in ${uri}`, () => {
    const found = segmentAt(segments, time)
    assert.deepEqual([found?.segment.uri, found?.seconds], [uri, seconds])
  })

test('there is no picture of a time that has not come, nor of a stream that has not begun', () => {
  assert.equal(segmentAt(segments, 6), undefined)
  assert.equal(segmentAt([], undefined), undefined)
})
