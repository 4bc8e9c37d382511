import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { h264 } from './codecs/h264.ts'
import { blackFrame, vp8 } from './codecs/vp8.ts'
import { annexB, h264Payloads, PAYLOAD_BYTES, unitsOfAnnexB, vp8Payloads } from './payloads.ts'

test('a VP8 frame comes out of its packets as it went in', () => {
  const frame = blackFrame({ width: 1920, height: 1080 })
  const payloads = vp8Payloads(frame, 70_000)
  assert.ok(payloads.length > 3)
  assert.ok(payloads.every(({ length }) => length <= PAYLOAD_BYTES))
  assert.ok(vp8.starts(payloads[0]!))
  assert.ok(!vp8.starts(payloads[1]!))
  assert.equal(payloads[0]!.readUInt16BE(2), 0x8000 | (70_000 & 0x7fff))
  const joined = vp8.join(payloads)
  assert.deepEqual(joined?.data, frame)
  assert.deepEqual(joined.size, { width: 1920, height: 1080 })
})

const SPS = Buffer.from('6742e01f8d8d402802dd80b501010140000003004000000c03c50ab8', 'hex')
const PPS = Buffer.from('68ce3c80', 'hex')

for (const [code, what] of [
  [[0, 0, 1], 'three'],
  [[0, 0, 0, 1], 'four'],
] as const)
  test(`an H264 frame comes out of its packets as it went in, with start codes of ${what} bytes`, () => {
    const slice = Buffer.concat([Buffer.from([0x65, 0x88]), randomBytes(4000).map((byte) => byte | 1)])
    const frame = Buffer.concat([SPS, PPS, slice].flatMap((unit) => [Buffer.from(code), unit]))
    assert.deepEqual(unitsOfAnnexB(frame), [SPS, PPS, slice])
    const payloads = h264Payloads(frame)
    assert.ok(payloads.every(({ length }) => length <= PAYLOAD_BYTES))
    assert.equal(payloads[0]![0]! & 0x1f, 24)
    assert.ok(payloads.length >= 5)
    const joined = h264().join(payloads)
    assert.equal(joined?.isKey, true)
    assert.deepEqual(unitsOfAnnexB(annexB(joined.data)), [SPS, PPS, slice])
  })

test('what is not H264 gives no packet', () => {
  assert.deepEqual(h264Payloads(Buffer.from([1, 2, 3])), [])
  assert.deepEqual(h264Payloads(Buffer.alloc(0)), [])
  assert.deepEqual(vp8Payloads(Buffer.alloc(0), 0), [])
})
