import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterUpload, type AfterUpload } from './upload-rule.ts'

const HOUR = 3_600_000
const rows: [status: number | undefined, tries: number, hoursSinceTheEnd: number, expected: AfterUpload][] = [
  [200, 1, 0, { next: 'done' }],
  [204, 9, 30, { next: 'done' }],
  [500, 1, 0, { next: 'again', waitMs: 5000 }],
  [503, 3, 0, { next: 'again', waitMs: 20_000 }],
  [429, 2, 0, { next: 'again', waitMs: 10_000 }],
  [undefined, 1, 0, { next: 'again', waitMs: 5000 }],
  [undefined, 40, 23, { next: 'again', waitMs: 900_000 }],
  [undefined, 41, 25, { next: 'given-up' }],
  [503, 2, 25, { next: 'given-up' }],
  // An address that is not valid any more, or leads elsewhere.
  [403, 1, 0, { next: 'given-up' }],
  [307, 1, 0, { next: 'given-up' }],
  [404, 1, 0, { next: 'given-up' }],
]

for (const [status, tries, hours, expected] of rows)
  test(`${status ?? 'no answer'} at try ${tries}, ${hours} h after the end: ${expected.next}`, () => {
    const isDone = status !== undefined && status < 300
    const answer = { status, problem: isDone ? undefined : 'It failed.' }
    assert.deepEqual(afterUpload({ answer, tries, endedAt: 0, now: hours * HOUR }), expected)
  })
