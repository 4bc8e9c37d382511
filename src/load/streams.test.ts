import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RtpPacket, type RtpHeader } from 'werift'
import { Arrival, isOurs, Source } from './streams.ts'

/** Returns the packets of one frame. */
function frameOf(source: Source, now: number): Buffer[] {
  const packets: Buffer[] = []
  source.next(now, (payload: Buffer, header: RtpHeader) =>
    packets.push(new RtpPacket(header, payload).serialize()),
  )
  return packets
}

test('a stream has the requested bit rate and can be told from others', () => {
  const source = new Source('video', 800_000, 7)
  let bytes = 0
  for (let frame = 0; frame < 50; frame++) {
    for (const packet of frameOf(source, frame * 40)) {
      bytes += packet.length - 12
      assert.ok(packet.length < 1200)
      assert.ok(isOurs(packet))
    }
  }
  // Two seconds with one key frame, which is three times as large as the others.
  assert.ok(Math.abs((bytes * 8) / 2 / 800_000 - 1.04) < 0.02, String(bytes))
})

test('a simulcast stream has one stream per layer, and reports relate their times', () => {
  const source = new Source('video', 1_000_000, 100, 3)
  const bytes = new Map<number, number>()
  const keys = new Set<number>()
  for (let frame = 0; frame < 26; frame++) {
    if (frame === 25) source.askForKeyFrame()
    for (const packet of frameOf(source, frame * 40)) {
      const { header, payload } = RtpPacket.deSerialize(packet)
      bytes.set(header.ssrc, (bytes.get(header.ssrc) ?? 0) + payload.length)
      // A key frame was requested: all layers get one, as in a browser.
      if (frame === 25 && payload[0] === 0x90 && payload[6] === 0) keys.add(header.ssrc)
      assert.equal(header.timestamp, frame * 3600)
    }
  }
  assert.deepEqual([...bytes.keys()], [100, 101, 102])
  assert.deepEqual([...keys], [100, 101, 102])
  assert.ok(bytes.get(102)! > 3.5 * bytes.get(101)! && bytes.get(101)! > 2 * bytes.get(100)!)
  assert.ok(source.has(102) && !source.has(103))
  const reports = source.reports(1000)
  assert.deepEqual(
    reports.map(({ ssrc }) => ssrc),
    [100, 101, 102],
  )
  for (const { senderInfo } of reports) {
    assert.equal(senderInfo.ntpTimestamp, reports[0]!.senderInfo.ntpTimestamp)
    assert.equal(senderInfo.rtpTimestamp, 25 * 3600)
  }
})

test('counts losses across the wrap of sequence numbers, and does not count late packets as lost', () => {
  const source = new Source('audio', 32_000, 8)
  const arrival = new Arrival(() => source)
  let kept: Buffer | undefined
  for (let frame = 0; frame < 140_000; frame++) {
    const [packet] = frameOf(source, frame * 20)
    if (frame === 70_000) kept = packet
    else if (frame % 1000 !== 999) arrival.hear(packet!, frame * 20 + 5)
    if (frame === 70_003) arrival.hear(kept!, frame * 20)
  }
  // The last of 140 missing packets cannot be noticed yet.
  assert.equal(arrival.lost, 139)
  assert.equal(arrival.received, 140_000 - 140)
})

test('the delay is that of the frame, and unknown for one long past', () => {
  const source = new Source('video', 300_000, 9)
  const arrival = new Arrival(() => source)
  const [first] = frameOf(source, 1000)
  assert.equal(arrival.hear(first!, 1012), 12)
  for (let frame = 1; frame < 600; frame++) frameOf(source, 1000 + frame * 40)
  assert.equal(arrival.hear(first!, 30_000), undefined)
  assert.equal(new Arrival(() => undefined).hear(first!, 30_000), undefined)
})
