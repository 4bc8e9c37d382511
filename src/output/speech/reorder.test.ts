import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reorder } from './reorder.ts'

for (const [name, sent, given] of [
  ['in order', [1, 2, 3], [1, 2, 3]],
  ['two exchanged', [1, 3, 2, 4], [1, 2, 3, 4]],
  ['one twice', [1, 2, 2, 3], [1, 2, 3]],
  ['one missing: waits for it', [1, 3, 4, 5], [1]],
  ['one missing for too long', [1, 3, 4, 5, 6, 7, 8, 9, 10, 2, 11], [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ['around the end', [65_534, 0, 65_535, 1], [65_534, 65_535, 0, 1]],
  ['a new beginning', [1, 2, 30_000, 30_001, 3], [1, 2, 30_000, 30_001, 3]],
] as [string, number[], number[]][]) {
  test(`puts packets in order: ${name}`, () => {
    const reorder = new Reorder()
    const out = sent.flatMap((sequence) =>
      reorder.push({ sequence, timestamp: 0, payload: Buffer.alloc(1) }).map((packet) => packet.sequence),
    )
    assert.deepEqual(out, given)
  })
}
