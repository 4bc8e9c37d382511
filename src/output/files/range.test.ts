import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partOf } from './range.ts'

const rows: [range: string | undefined, size: number, part: ReturnType<typeof partOf>][] = [
  [undefined, 10, undefined],
  ['', 10, undefined],
  ['bytes', 10, undefined],
  ['bytes=', 10, undefined],
  ['bytes=-', 10, undefined],
  ['bytes=a-b', 10, undefined],
  ['bytes=1-2,4-5', 10, undefined],
  ['items=1-2', 10, undefined],
  ['bytes=5-2', 10, undefined],
  ['bytes=0-0', 10, { from: 0, to: 0 }],
  ['bytes=3-', 10, { from: 3, to: 9 }],
  ['bytes=3-99', 10, { from: 3, to: 9 }],
  ['bytes=-4', 10, { from: 6, to: 9 }],
  ['bytes=-99', 10, { from: 0, to: 9 }],
  ['bytes=10-', 10, { unsatisfiable: 10 }],
  ['bytes=-0', 10, { unsatisfiable: 10 }],
  ['bytes=0-', 0, { unsatisfiable: 0 }],
  ['bytes=-5', 0, { unsatisfiable: 0 }],
]

for (const [range, size, part] of rows)
  test(`${range} of ${size} bytes`, () => assert.deepEqual(partOf(range, size), part))
