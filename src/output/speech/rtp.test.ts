import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packetMs } from './opus.ts'
import { readRtp, Reorder } from './rtp.ts'

const header = [0x80, 111, 0, 7, 0, 0, 3, 0xe8, 0, 0, 0, 1]

for (const [name, packet, payload] of [
  ['nothing', [], undefined],
  ['another version', [0x40, ...header.slice(1), 9], undefined],
  ['half a header', header.slice(0, 11), undefined],
  ['no payload', header, undefined],
  ['a payload', [...header, 9, 8], [9, 8]],
  ['contributing sources', [0x82, ...header.slice(1), 1, 1, 1, 1, 2, 2, 2, 2, 9], [9]],
  ['a header extension', [0x90, ...header.slice(1), 0xbe, 0xde, 0, 1, 5, 5, 5, 5, 9], [9]],
  ['half a header extension', [0x90, ...header.slice(1), 0xbe, 0xde, 0], undefined],
  [
    'a header extension that goes beyond the end',
    [0x90, ...header.slice(1), 0xbe, 0xde, 0xff, 0xff, 9],
    undefined,
  ],
  ['padding', [0xa0, ...header.slice(1), 9, 0, 0, 3], [9]],
  ['padding alone', [0xa0, ...header.slice(1), 0, 0, 3], undefined],
  ['padding that goes beyond the beginning', [0xa0, ...header.slice(1), 9, 255], undefined],
] as [string, number[], number[] | undefined][]) {
  test(`reads RTP with ${name}`, () => {
    const read = readRtp(Buffer.from(packet))
    assert.deepEqual(read && [...read.payload], payload)
    if (read) assert.deepEqual([read.sequence, read.timestamp], [7, 1000])
  })
}

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
      reorder.push({ sequence, timestamp: 0, payload: new Uint8Array(1) }).map((packet) => packet.sequence),
    )
    assert.deepEqual(out, given)
  })
}

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
