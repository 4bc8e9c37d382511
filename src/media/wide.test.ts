/** One meeting on several real workers. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { RtpPacket } from 'werift'
import { locateWorker } from '../../scripts/media-worker/locate.mjs'
import { freePorts } from '../../test/support/ports.ts'
import { Source } from '../load/streams.ts'
import { createSfu } from './create.ts'
import type { Router, Sfu, WorkerUsage } from './sfu.ts'

const skip = !locateWorker() && 'no media worker is built'
const timeout = 60_000
const sctpCapabilities = { numStreams: { OS: 16, MIS: 16 } }
let sfu: Sfu
let router: Router

before(async () => {
  if (skip) return
  sfu = await createSfu({
    workerBin: locateWorker()!.bin,
    workers: 2,
    firstPort: await freePorts(2),
    listenAddress: '127.0.0.1',
    placement: 'spread',
    pipeTimes: { pauseMs: 50, closeMs: 100 },
  })
  router = await sfu.openRouter()
})
after(() => sfu.close())

/** The time limit of the test ends it otherwise. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10)
}

/** Returns one value per worker, in the order of the workers. */
async function usage(what: keyof WorkerUsage): Promise<unknown[]> {
  return (await sfu.usage()).map((worker) => worker[what])
}

/** Starts a program that sends a voice. */
async function voice(ssrc: number) {
  const source = new Source('audio', 32_000, ssrc)
  const ingress = await router.openIngress({
    kind: 'audio',
    rtpParameters: source.rtpParameters,
    watchLevel: true,
  })
  let frame = 0
  const speak = (): void =>
    source.next(performance.now(), (payload, header) => {
      // A tone that never changes counts as noise.
      frame += 1
      header.extensions[0]!.payload = Buffer.from([0x80 | (frame % 10 < 3 ? 90 : 15)])
      ingress.send(new RtpPacket(header, payload).serialize())
    })
  return { id: ingress.producer.id, ingress, speak }
}

test('each member is on one worker, and members are spread', { skip, timeout }, async () => {
  const members = [{}, {}, {}]
  const transports = await Promise.all(
    members.flatMap((member) => [
      router.createTransport({ direction: 'send', member }),
      router.createTransport({ direction: 'receive', member }),
    ]),
  )
  const on = transports.map(({ worker }) => worker)
  assert.deepEqual([on[0], on[2], on[4]], [on[1], on[3], on[5]])
  assert.deepEqual((await usage('members')).toSorted(), [1, 2])
  for (const transport of transports) transport.close()
  await until(async () => (await usage('members')).every((count) => count === 0))
})

test('data crosses workers, and its pipe closes with it', { skip, timeout }, async () => {
  const send = await router.createTransport({ direction: 'send', member: {}, sctpCapabilities })
  const receive = await router.createTransport({ direction: 'receive', member: {}, sctpCapabilities })
  assert.notEqual(send.worker, receive.worker)
  const producer = await send.produceData({
    sctpStreamParameters: { streamId: 0, ordered: true },
    label: 'l',
    protocol: '',
  })
  const consumer = await receive.consumeData({ dataProducerId: producer.id })
  assert.deepEqual([consumer.dataProducerId, consumer.label], [producer.id, 'l'])
  assert.equal((await usage('pipesOut'))[send.worker], 1)
  consumer.close()
  await until(async () => (await usage('pipesOut'))[send.worker] === 0)
  send.close()
  receive.close()
})

test(
  'speakers are detected on every worker; when one worker dies, the other continues',
  { skip, timeout },
  async () => {
    const voices = [await voice(1), await voice(2)]
    const heard: (string | null)[] = []
    router.on('activeSpeaker', (producerId) => heard.push(producerId))
    // They speak in turn, from different workers.
    for (const { id, speak } of voices)
      await until(async () => {
        speak()
        await delay(20)
        return heard.at(-1) === id
      })
    // Nobody receives the voices: one is piped to the other worker only to compare its loudness.
    assert.deepEqual((await usage('pipesIn')).toSorted(), [0, 1])
    const listening = (await usage('pipesIn')).indexOf(1)
    const lost = voices.map(
      ({ ingress }, at) => new Promise<number>((resolve) => ingress.on('lost', () => resolve(at))),
    )
    const { stdout } = spawnSync('pgrep', ['-P', String(process.pid), '-f', 'mediasoup-worker'], {
      encoding: 'utf8',
    })
    // In the order of their start, which is the order of the workers.
    process.kill(Number(stdout.split('\n')[listening]), 'SIGKILL')
    const survivor = voices[1 - (await Promise.race(lost))]!
    await until(() => heard.at(-1) === null)
    await until(async () => {
      survivor.speak()
      await delay(20)
      return heard.at(-1) === survivor.id
    })
    await router.ready()
    const again = await voice(3)
    await until(async () => {
      again.speak()
      await delay(20)
      return heard.at(-1) === again.id
    })
    again.ingress.close()
    survivor.ingress.close()
  },
)
