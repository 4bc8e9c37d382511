import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRtp } from './packet.ts'

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
    const read = parseRtp(Buffer.from(packet))
    assert.deepEqual(read && [...read.payload], payload)
    if (read) assert.deepEqual([read.sequence, read.timestamp], [7, 1000])
  })
}
