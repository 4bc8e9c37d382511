/** Ordering packets, placing them on one timeline, and joining them. Pure functions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RtpWriter, vp8Payloads } from '../../../test/support/recorded-media.ts'
import { vp8, blackFrame } from '../../rtp/codecs/vp8.ts'
import { durationOf } from '../../rtp/codecs/opus.ts'
import { readHead, sizeOfLength, element, idBytes, ID, UNKNOWN_SIZE } from './ebml.ts'
import { FrameJoiner } from '../../rtp/frames.ts'
import { ReorderBuffer } from '../../rtp/reorder.ts'
import { parseRtp, Unwrapped, type RtpPacket } from '../../rtp/packet.ts'
import { SoundTrack } from './silence.ts'
import { StreamClock } from './stream-clock.ts'

const packetOf = (sequence: number): RtpPacket => ({
  payloadType: 100,
  sequence: sequence & 0xffff,
  timestamp: 0,
  marker: false,
  payload: Buffer.of(1),
})

test('RTP: sources, extension and padding are skipped, and other packets are refused', () => {
  const plain = '8064000100000002000000aa'
  const rows: [hex: string, payload: string | undefined][] = [
    [plain + 'c0ffee', 'c0ffee'],
    ['8264000100000002000000aa' + '0000000100000002' + 'c0ffee', 'c0ffee'],
    ['9064000100000002000000aa' + 'bede0001' + '10ff0000' + 'c0ffee', 'c0ffee'],
    ['a064000100000002000000aa' + 'c0ffee' + '000003', 'c0ffee'],
    [plain, undefined],
    ['9064000100000002000000aa' + 'bede0009' + '10ff0000', undefined],
    ['a064000100000002000000aa' + 'ff', undefined],
    ['0064000100000002000000aa' + 'c0ffee', undefined],
    ['80', undefined],
    ['', undefined],
  ]
  for (const [hex, payload] of rows)
    assert.equal(parseRtp(Buffer.from(hex, 'hex'))?.payload.toString('hex'), payload, hex)
})

test('sequence numbers are unwrapped forwards and backwards', () => {
  const unwrapped = new Unwrapped(16)
  const given = [65_534, 65_535, 0, 1, 65_535, 2, 40_000, 2]
  const expected = [65_534, 65_535, 65_536, 65_537, 65_535, 65_538, 40_000, 65_538]
  assert.deepEqual(
    given.map((value) => unwrapped.of(value)),
    expected,
  )
})

/** Lists the packets that leave the buffer, with `!` after a loss. Each row: sequence number and time. */
function ordered(arrivals: [sequence: number, at: number][], endAt?: number): string {
  const buffer = new ReorderBuffer()
  const out: string[] = []
  const take = ({ packet, isAfterLoss }: { packet: RtpPacket; isAfterLoss: boolean }): void => {
    out.push(`${packet.sequence}${isAfterLoss ? '!' : ''}`)
  }
  for (const [sequence, at] of arrivals) {
    buffer.tick(at, take)
    buffer.push(packetOf(sequence), at, take)
  }
  if (endAt !== undefined) buffer.tick(endAt, take)
  return out.join(' ')
}

test('packets leave in order; a missing one is awaited for a short time', () => {
  const rows: [arrivals: [number, number][], endAt: number | undefined, out: string][] = [
    [
      [
        [1, 0],
        [2, 0],
        [3, 0],
      ],
      undefined,
      '1 2 3',
    ],
    [
      [
        [1, 0],
        [3, 0],
        [2, 100],
        [4, 100],
      ],
      undefined,
      '1 2 3 4',
    ],
    [
      [
        [1, 0],
        [2, 0],
        [2, 0],
        [1, 0],
        [3, 0],
        [3, 0],
      ],
      undefined,
      '1 2 3',
    ],
    [
      [
        [65_535, 0],
        [1, 0],
        [0, 50],
      ],
      undefined,
      '65535 0 1',
    ],
    [
      [
        [1, 0],
        [3, 0],
        [4, 0],
      ],
      299,
      '1',
    ],
    [
      [
        [1, 0],
        [3, 0],
        [4, 0],
      ],
      300,
      '1 3! 4',
    ],
    [
      [
        [1, 0],
        [3, 0],
        [5, 100],
        [4, 350],
        [2, 350],
      ],
      400,
      '1 3! 4 5',
    ],
    [
      [
        [5, 0],
        [4, 0],
        [6, 0],
      ],
      undefined,
      '5 6',
    ],
    // The numbers restart.
    [
      [
        [1, 0],
        [30_000, 0],
        [30_001, 0],
      ],
      undefined,
      '1 30000! 30001',
    ],
  ]
  for (const [arrivals, endAt, out] of rows) assert.equal(ordered(arrivals, endAt), out)
  const many = [[0, 0], ...[...Array(1025).keys()].map((at) => [at + 2, 0])] as [number, number][]
  assert.ok(ordered(many).startsWith('0 2! 3 4'), 'no endless wait')
})

test('the start of a stream follows from its fastest packet, and drift is corrected slowly', () => {
  const clock = new StreamClock(48_000)
  // Every 20 ms, delayed by up to 90 ms: the minimum delay is 10 ms.
  const delayAt = (at: number): number => 10 + ((at * 37) % 81)
  for (let at = 0; at < 50; at++) clock.hear(at * 960, 5000 + at * 20 + delayAt(at))
  assert.equal(clock.timeOf(0), 5010)
  // A drift of 200 ppm for an hour.
  for (let at = 50; at < 180_000; at++) clock.hear(at * 960, 5000 + at * 20 * 1.0002 + delayAt(at))
  const hour = 180_000 * 20
  assert.ok(Math.abs(clock.timeOf(hour) - (5010 + hour * 1.0002)) < 12)
  // One slow second, caused by a stall, has no effect.
  const before = clock.timeOf(hour)
  for (let at = 180_000; at < 180_050; at++) clock.hear(at * 960, 5000 + at * 20 * 1.0002 + 900)
  assert.ok(Math.abs(clock.timeOf(hour) - before) < 2)
  // The sender's time jumps.
  clock.hear(5_000_000, 5_000_000)
  assert.equal(clock.timeOf(5_000_000 / 48), 5_000_000)
})

test('gaps in sound become silence, and duplicates are dropped', () => {
  const sound = new SoundTrack(0)
  const data = Buffer.of(0x78)
  const place = (time: number): string =>
    sound
      .place(time, 20, data)
      .map((placed) => `${placed.timeMs}${placed.data === data ? '' : 's'}`)
      .join(' ')
  const rows: [time: number, placed: string][] = [
    [0, '0'],
    [20, '20'],
    [39, '40'],
    [100, '60s 80s 100'],
    [100, ''],
    [121, '120'],
    [160, '140s 160'],
    [198, '180'],
  ]
  for (const [time, placed] of rows) assert.equal(place(time), placed, `at ${time}`)
  assert.deepEqual(
    sound.fillTo(250).map(({ timeMs }) => timeMs),
    [200, 220, 240],
  )
  assert.equal(sound.endMs, 260)
})

test('the duration of an Opus packet', () => {
  const rows: [bytes: number[], ms: number][] = [
    [[0x78], 20],
    [[0xf8, 0xff, 0xfe], 20],
    [[0x79, 0, 0], 40],
    [[0x7b, 0x03], 60],
    [[0xe0], 2.5],
    [[0x08], 20],
    [[0x18], 60],
    [[0x70], 10],
  ]
  for (const [bytes, ms] of rows) assert.equal(durationOf(Buffer.from(bytes)), ms, String(bytes))
})

test('VP8: frames are assembled, and broken ones are dropped', () => {
  const [key, delta] = [blackFrame({ width: 640, height: 360 }), Buffer.alloc(2500, 1)]
  const run = (lost: number[]): string => {
    const writer = new RtpWriter({ ssrc: 1, payloadType: 100 })
    // Packets: 0; 1, 2, 3; 4, 5, 6; 7.
    const packets = [key, delta, delta, key].flatMap((frame, at) =>
      writer.packets(vp8Payloads(frame, at), at * 9000),
    )
    assert.equal(packets.length, 8)
    const [reorder, joiner] = [new ReorderBuffer(), new FrameJoiner(vp8)]
    const out: string[] = []
    const push = (ordered: Parameters<FrameJoiner['push']>[0]): void =>
      joiner.push(ordered, (frame) => {
        const of = frame.isKey ? key : delta
        assert.ok(frame.data.equals(of))
        if (frame.isKey) assert.deepEqual(frame.size, { width: 640, height: 360 })
        out.push(`${frame.timestamp / 9000}`)
      })
    for (const [at, packet] of packets.entries())
      if (!lost.includes(at)) reorder.push(parseRtp(packet)!, 0, push)
    reorder.tick(1000, push)
    return out.join(' ')
  }
  const rows: [lost: number[], out: string][] = [
    [[], '0 1 2 3'],
    [[0], '3'],
    [[1], '0 3'],
    [[2], '0 3'],
    [[3], '0 3'],
    [[4], '0 1 3'],
    [[6], '0 1 3'],
    [[3, 4], '0 3'],
    [[7], '0 1 2'],
  ]
  for (const [lost, out] of rows) assert.equal(run(lost), out, `without ${String(lost)}`)
})

test('EBML: sizes are read as they were written', () => {
  for (const size of [0, 1, 126, 127, 128, 16_382, 16_383, 2 ** 21, 2 ** 28 + 1]) {
    const body = size > 2 ** 20 ? undefined : Buffer.alloc(size)
    if (body) assert.deepEqual(readHead(element(ID.void, body))?.size, size)
    const long = Buffer.concat([idBytes(ID.cluster), sizeOfLength(size, 8)])
    assert.deepEqual(readHead(long), { id: ID.cluster, size, bytes: 12 })
  }
  assert.deepEqual(readHead(Buffer.concat([idBytes(ID.cluster), UNKNOWN_SIZE])), {
    id: ID.cluster,
    size: undefined,
    bytes: 12,
  })
  for (const cut of ['', '00', '1f43b6', '1f43b675', '1f43b67501ff'])
    assert.equal(readHead(Buffer.from(cut, 'hex')), undefined)
})
