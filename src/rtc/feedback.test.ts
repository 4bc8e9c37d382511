import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RtcpPacketConverter, RtcpTransportLayerFeedback, TransportWideCC } from 'werift'
import { ArrivalFeedback } from './feedback.ts'

const ID = 5

/** An RTP packet with another extension before the transport-wide number. */
function packet(number: number): Buffer {
  const head = Buffer.alloc(12)
  head[0] = 0x90
  const extensions = Buffer.from([0xbe, 0xde, 0, 2, 0x10, 7, (ID << 4) | 1, 0, 0, 0, 0, 0])
  extensions.writeUInt16BE(number & 0xffff, 7)
  return Buffer.concat([head, extensions, Buffer.alloc(20)])
}

function read(report: Buffer): TransportWideCC {
  const [read] = RtcpPacketConverter.deSerialize(report)
  assert.ok(read instanceof RtcpTransportLayerFeedback && read.feedback instanceof TransportWideCC)
  return read.feedback
}

/** The arrival time of each packet in a report, in ms since the first; undefined if it did not arrive. */
function arrivals(report: Buffer): (number | undefined)[] {
  const { packetChunks, recvDeltas, packetStatusCount } = read(report)
  const symbols = packetChunks.flatMap((chunk) => ('symbolList' in chunk ? chunk.symbolList : []))
  let at = -recvDeltas[0]!.delta
  let next = 0
  return symbols.slice(0, packetStatusCount).map((symbol) => {
    if (symbol === 0) return undefined
    at += recvDeltas[next++]!.delta
    return at / 1000
  })
}

test('a report says which packets came, and when', () => {
  const feedback = new ArrivalFeedback(ID)
  assert.equal(feedback.report(), undefined)
  for (const [number, ms] of [
    [100, 1000],
    [101, 1010.25],
    [103, 1200],
    [102, 1201],
  ] as const)
    feedback.hear(packet(number), ms)
  const first = feedback.report()!
  assert.equal(read(first).baseSequenceNumber, 100)
  assert.deepEqual(arrivals(first), [0, 10.25, 201, 200])

  feedback.hear(packet(106), 1300)
  feedback.hear(packet(99), 1301)
  const second = feedback.report()!
  assert.deepEqual([read(second).baseSequenceNumber, read(second).fbPktCount], [104, 1])
  assert.deepEqual(arrivals(second), [undefined, undefined, 0])
  assert.equal(feedback.report(), undefined)
})

test('numbers go on over their turn; packets without one are not told of', () => {
  const feedback = new ArrivalFeedback(ID)
  feedback.hear(packet(0xffff), 1000)
  feedback.hear(packet(0x10000), 1001)
  feedback.hear(Buffer.alloc(40, 0x80), 1002)
  const report = feedback.report()!
  assert.equal(report.length % 4, 0)
  assert.deepEqual(arrivals(report), [0, 1])
})
