import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packetMs } from './opus.ts'

/** TOC: configuration 1 is SILK of 20 ms, 31 is CELT of 20 ms, 3 is SILK of 60 ms. */
const toc = (config: number, code: number): number => (config << 3) | code
const bytes = (length: number): number[] => Array.from({ length }, () => 0)

for (const [name, packet, ms] of [
  ['nothing', [], undefined],
  ['one frame', [toc(1, 0), ...bytes(40)], 20],
  ['one empty frame (DTX)', [toc(1, 0)], 20],
  ['one frame that is too large', [toc(31, 0), ...bytes(1276)], undefined],
  ['two equal frames', [toc(1, 1), ...bytes(40)], 40],
  ['two equal frames of odd size', [toc(1, 1), ...bytes(41)], undefined],
  ['two frames', [toc(1, 2), 10, ...bytes(25)], 40],
  ['two frames, the first of 252 and more', [toc(1, 2), 252, 1, ...bytes(300)], 40],
  ['two frames, the first beyond the end', [toc(1, 2), 30, ...bytes(25)], undefined],
  ['two frames without a length', [toc(1, 2)], undefined],
  ['three equal frames', [toc(1, 3), 3, ...bytes(30)], 60],
  ['three equal frames of unequal size', [toc(1, 3), 3, ...bytes(31)], undefined],
  ['no frames', [toc(1, 3), 0, ...bytes(30)], undefined],
  ['a count that is missing', [toc(1, 3)], undefined],
  ['more than 120 ms', [toc(3, 3), 3, ...bytes(30)], undefined],
  ['three frames of their own sizes', [toc(1, 3), 0x83, 5, 10, ...bytes(30)], 60],
  ['three frames, the sizes beyond the end', [toc(1, 3), 0x83, 50, 10, ...bytes(30)], undefined],
  ['padding', [toc(1, 3), 0x42, 4, ...bytes(24)], 40],
  ['padding beyond the end', [toc(1, 3), 0x42, 40, ...bytes(24)], undefined],
  ['padding without an end', [toc(1, 3), 0x42, 255, 255], undefined],
] as [string, number[], number | undefined][]) {
  test(`measures Opus: ${name}`, () => assert.equal(packetMs(Uint8Array.from(packet)), ms))
}
