/** Members with and without a browser in one meeting, on the real media server. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { locateWorker } from '../../../scripts/media-worker/locate.mjs'
import { freePorts } from '../../../test/support/ports.ts'
import { grantOf, joins, LiveMeetingBench, newId } from '../../../test/support/live-meetings.ts'
import { createSfu } from '../../media/create.ts'
import type { Ingress, Sfu, Tap } from '../../media/sfu.ts'
import type { RtpParameters } from '../../protocol/media.ts'
import type { Notification } from '../../protocol/notifications.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import type { LiveMeeting } from '../live-meeting.ts'
import type { MeetingStream, Onlooker } from './member.ts'
import type { Participant } from './participant.ts'
import { ProgramLink } from './program-link.ts'

const noWorker = !locateWorker() && 'no media worker is built'
const OPUS: RtpParameters = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2, parameters: {} }],
  encodings: [{ ssrc: 1234 }],
}

let bench: LiveMeetingBench
let sfu: Sfu
before(async () => {
  bench = await LiveMeetingBench.open()
  sfu = await createSfu({
    workerBin: locateWorker()?.bin,
    workers: 1,
    firstPort: await freePorts(1),
    listenAddress: '127.0.0.1',
  })
})
after(async () => {
  await sfu.close()
  await bench.close()
})
const open = new Set<LiveMeeting>()
afterEach(async () => {
  for (const live of open) await live.suspend()
  open.clear()
  assert.deepEqual(bench.errors.splice(0), [])
})

async function openMeeting(changes: { sessionGraceMs?: number } = {}) {
  const opened = await bench.openMeeting(await bench.createMeeting(), sfu, changes)
  open.add(opened.live)
  return opened
}

/** A recorder, which receives each stream as RTP. */
class Recorder implements Onlooker {
  readonly id = newId()
  readonly name = 'recorder'
  readonly kind = 'egress'
  readonly isVisible = false
  readonly sends = false
  readonly receives = true
  readonly told: Notification[] = []
  readonly streams = new Map<string, MeetingStream>()
  readonly withdrawn: string[] = []
  closed: string | undefined

  tell(notification: Notification): void {
    this.told.push(notification)
  }
  offer(stream: MeetingStream): void {
    this.streams.set(stream.producerId, stream)
  }
  withdraw(producerId: string): void {
    this.withdrawn.push(producerId)
    this.streams.delete(producerId)
  }
  close({ message }: { message: string }): void {
    this.closed = message
  }
}

/** A program that sends, admitted like a person. */
async function sender(live: LiveMeeting, participantId: string) {
  const put: { out?: string } = {}
  let self: Participant | undefined
  const state = await live.entrance.requestEntry({
    participantId,
    name: participantId,
    grant: grantOf('direct'),
    kind: 'ingress',
    link: new ProgramLink({
      connectionId: `program:${participantId}`,
      onClose: ({ message }, refusal) => (put.out = refusal?.code ?? message),
    }),
    admitted: (participant) => (self = participant),
  })
  assert.equal(state, 'admitted')
  await live.roster.join(self!, {})
  const ingress = await live.media.streams.bring(self!, { kind: 'audio', rtpParameters: OPUS })
  return { self: self!, ingress, put }
}

/** Sends until a packet arrives. */
async function passes(ingress: Ingress, tap: Tap): Promise<void> {
  const arrived = new Promise<void>((resolve) => tap.onPacket(() => resolve()))
  let sequence = 0
  const packet = (): Buffer => {
    const header = Buffer.alloc(12)
    header.writeUInt8(0x80, 0)
    header.writeUInt8(100, 1)
    header.writeUInt16BE(++sequence, 2)
    header.writeUInt32BE(sequence * 960, 4)
    header.writeUInt32BE(1234, 8)
    return Buffer.concat([header, Buffer.from('sound')])
  }
  const sending = setInterval(() => ingress.send(packet()), 20)
  await arrived.finally(() => clearInterval(sending))
}

test(
  'people see a program that sends and are offered its sound, and an onlooker receives it',
  { skip: noWorker },
  async () => {
    const { live } = await openMeeting()
    const ann = await joins(live, 'ann')
    ann.self.media.rtpCapabilities = await live.media.routerRtpCapabilities()
    await live.media.createTransport(ann.self, { producing: false, consuming: true })
    const recorder = new Recorder()
    const detach = live.attach(recorder)

    const { self, ingress } = await sender(live, 'camera-1')
    assert.ok(ann.link.heard.some((one) => one.method === 'newPeer' && one.id === 'camera-1'))
    assert.ok(live.view().participants.some(({ participantId }) => participantId === 'camera-1'))
    while (!ann.link.asked.some(({ event }) => event === 'newConsumer')) await new Promise(setImmediate)

    const stream = recorder.streams.get(ingress.producer.id)!
    assert.deepEqual([stream.ownerId, stream.kind], ['camera-1', 'audio'])
    const tap = await stream.open()
    await tap.resume()
    await passes(ingress, tap)
    assert.ok(recorder.told.some(({ method }) => method === 'newPeer'))

    const gone = new Promise<void>((resolve) => tap.on('producerClosed', resolve))
    live.roster.leave(self, leaveReason('MANUAL_LEAVE_CALLED'))
    await gone
    assert.deepEqual(recorder.withdrawn, [ingress.producer.id])
    assert.ok(recorder.told.some(({ method }) => method === 'peerClosed'))
    detach()
    const count = recorder.told.length
    await joins(live, 'ben')
    assert.equal(recorder.told.length, count)
  },
)

test('an onlooker is invisible and not counted', { skip: noWorker }, async () => {
  const { live, told } = await openMeeting()
  const ann = await joins(live, 'ann')
  const before = { heard: ann.link.heard.length, told: told.length, view: live.view() }
  live.attach(new Recorder())
  assert.deepEqual(live.view(), before.view)
  assert.deepEqual([ann.link.heard.length, told.length, live.roster.size], [before.heard, before.told, 1])
  const ben = await joins(live, 'ben')
  assert.ok(ben.link.heard.every((one) => !JSON.stringify(one).includes('recorder')))
})

test('an onlooker does not keep a session alive, and is told when it ends', { skip: noWorker }, async () => {
  const { live, events } = await openMeeting({ sessionGraceMs: 20 })
  const recorder = new Recorder()
  assert.throws(() => live.attach(recorder), Refusal)
  const ended = new Promise<void>((resolve) => events.on('sessionEnded', () => resolve()))
  const ann = await joins(live, 'ann')
  live.attach(recorder)
  live.roster.leave(ann.self, leaveReason('MANUAL_LEAVE_CALLED'))
  await ended
  assert.equal(recorder.closed, leaveReason('ROOM_CLOSE').message)
})

test(
  'a late onlooker is offered the current streams, and its errors affect nobody',
  { skip: noWorker },
  async () => {
    const { live } = await openMeeting()
    await joins(live, 'ann')
    const { ingress } = await sender(live, 'camera-1')
    const faulty = new (class extends Recorder {
      override tell(): never {
        throw new Error('a faulty recorder')
      }
    })()
    const detach = live.attach(faulty)
    const late = new Recorder()
    live.attach(late)
    assert.deepEqual([...late.streams.keys()], [ingress.producer.id])
    await joins(live, 'ben')
    assert.ok(late.told.some(({ method }) => method === 'newPeer'))
    detach()
    assert.ok(bench.errors.splice(0).length > 0)
  },
)

test('a program that sends is moderated and removed like a person', { skip: noWorker }, async () => {
  const { live } = await openMeeting()
  const mod = await joins(live, 'mod', grantOf('moderator'))
  const { self, ingress, put } = await sender(live, 'camera-1')
  await live.moderation.stopStream(mod.self, 'camera-1', 'audio')
  assert.equal(self.media.producers.size, 0)
  await assert.rejects(ingress.producer.resume(), Refusal)
  const again = await live.media.streams.bring(self, { kind: 'audio', rtpParameters: OPUS })
  await live.evictions.remove(mod.self, 'camera-1')
  assert.equal(put.out, leaveReason('REMOVE_PEER').message)
  await assert.rejects(again.producer.pause(), Refusal)
  await assert.rejects(live.media.streams.bring(self, { kind: 'audio', rtpParameters: OPUS }), Refusal)
})

test('a program that sends has the same stream limit as a person', { skip: noWorker }, async () => {
  const { live } = await openMeeting()
  const { self } = await sender(live, 'camera-1')
  const bring = (ssrc: number) =>
    live.media.streams.bring(self, {
      kind: 'audio',
      rtpParameters: { ...OPUS, encodings: [{ ssrc }] },
      shared: true,
    })
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map(bring))
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3)
  await assert.rejects(bring(6), (error) => error instanceof Refusal && error.code === 'MAX_SPEAKER_REACHED')
})
