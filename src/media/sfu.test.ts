/** What a meeting relies on: the fake and mediasoup's real workers behave the same. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { Refusal, type ErrorName } from '../protocol/errors.ts'
import { freePorts } from '../../test/support/ports.ts'
import { locateWorker } from '../../scripts/media-worker/locate.mjs'
import { createFakeSfu } from './fake/sfu.ts'
import { sampleDtlsParameters, sampleRtpParameters } from '../../test/support/rtp-samples.ts'
import { createSfu, type SfuOptions } from './create.ts'
import type { Consumer, Router, Sfu } from './sfu.ts'
import type { MediaLog } from './log.ts'

const refusal = (code: ErrorName) => (error: unknown) => error instanceof Refusal && error.code === code

const told = (consumer: Consumer, event: 'producerClosed' | 'producerPaused' | 'producerResumed') =>
  new Promise<void>((resolve) => consumer.on(event, resolve))

/** A sender and a receiver in one meeting. */
async function pair(router: Router) {
  const sctpCapabilities = { numStreams: { OS: 16, MIS: 16 } }
  return {
    send: await router.createTransport({ direction: 'send', sctpCapabilities }),
    receive: await router.createTransport({ direction: 'receive', sctpCapabilities }),
  }
}

/** The workers that this process has started. */
function workerPids(): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(process.pid), '-f', 'mediasoup-worker'], {
    encoding: 'utf8',
  })
  return stdout.split('\n').filter(Boolean).map(Number)
}

async function realSfu(more: Partial<SfuOptions> = {}): Promise<Sfu> {
  return createSfu({
    workerBin: locateWorker()!.bin,
    workers: 2,
    firstPort: await freePorts(2),
    listenAddress: '127.0.0.1',
    ...more,
  })
}

const kinds: [name: string, open: () => Promise<Sfu>][] = [
  ['the fake', () => Promise.resolve(createFakeSfu())],
  ...(locateWorker() ? [['mediasoup', () => realSfu()] as [string, () => Promise<Sfu>]] : []),
]

for (const [name, open] of kinds) {
  describe(name, () => {
    let sfu: Sfu
    before(async () => {
      sfu = await open()
    })
    after(() => sfu.close())

    test('refuses malformed requests of a client, and keeps running', async () => {
      const router = await sfu.openRouter()
      const { send, receive } = await pair(router)
      const good = sampleRtpParameters('audio')
      for (const rtpParameters of [
        sampleRtpParameters('video'),
        { ...good, encodings: [{ ssrc: -1 }] },
        { ...good, encodings: [{ scalabilityMode: 'S999T999' }] },
        { ...good, codecs: [{ ...good.codecs[0]!, mimeType: 'audio/unknown' }] },
      ]) {
        await assert.rejects(send.produce({ kind: 'audio', rtpParameters }), Refusal)
      }
      await assert.rejects(
        receive.produce({ kind: 'audio', rtpParameters: good }),
        refusal('INVALID_REQUEST'),
      )
      await assert.rejects(
        receive.consume({ producerId: 'none', rtpCapabilities: router.rtpCapabilities }),
        Refusal,
      )
      assert.ok((await send.produce({ kind: 'audio', rtpParameters: good })).id)
      router.close()
    })

    test('a stream is consumed paused, resumed, paused at its source and closed with it', async () => {
      const router = await sfu.openRouter()
      const { send, receive } = await pair(router)
      await send.connect(sampleDtlsParameters())
      const producer = await send.produce({
        kind: 'video',
        rtpParameters: sampleRtpParameters('video', { layers: 3 }),
      })
      const { rtpCapabilities } = router
      const consumer = await receive.consume({ producerId: producer.id, rtpCapabilities })
      assert.deepEqual([consumer.paused, consumer.kind, consumer.type], [true, 'video', 'simulcast'])
      await consumer.resume()
      await consumer.setPreferredLayers({ spatialLayer: 99, temporalLayer: 99 })
      await consumer.setPriority(7)
      await consumer.requestKeyFrame()
      const paused = told(consumer, 'producerPaused')
      await producer.pause()
      await paused
      const resumed = told(consumer, 'producerResumed')
      await producer.resume()
      await resumed
      const closed = told(consumer, 'producerClosed')
      producer.close()
      await closed
      await assert.rejects(consumer.resume(), refusal('INVALID_STATE'))
      router.close()
    })

    test('offers no capture time, and needs none from a client that announces it', async () => {
      const uri = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time'
      const router = await sfu.openRouter()
      assert.ok(router.rtpCapabilities.headerExtensions!.length > 5)
      assert.ok(router.rtpCapabilities.headerExtensions!.every((extension) => extension.uri !== uri))
      const { send, receive } = await pair(router)
      const rtpParameters = sampleRtpParameters('video', { layers: 3 })
      rtpParameters.headerExtensions!.push({ uri, id: 15, encrypt: false, parameters: {} })
      const { id: producerId } = await send.produce({ kind: 'video', rtpParameters })
      const rtpCapabilities = {
        ...router.rtpCapabilities,
        headerExtensions: [
          ...router.rtpCapabilities.headerExtensions!,
          { kind: 'video' as const, uri, preferredId: 10 },
        ],
      }
      const consumer = await receive.consume({ producerId, rtpCapabilities })
      assert.ok(consumer.rtpParameters.headerExtensions!.every((extension) => extension.uri !== uri))
      router.close()
    })

    test('restarts ICE with new parameters, and stats are numbers', async () => {
      const router = await sfu.openRouter()
      const { send } = await pair(router)
      assert.notEqual((await send.restartIce()).usernameFragment, send.iceParameters.usernameFragment)
      assert.equal(typeof (await send.stats()).receiveBytes, 'number')
      send.close()
      await assert.rejects(send.restartIce(), refusal('INVALID_STATE'))
      router.close()
    })

    test('sends data over SCTP if the transport has it', async () => {
      const router = await sfu.openRouter()
      const { send, receive } = await pair(router)
      const options = { sctpStreamParameters: { streamId: 0, ordered: true }, label: 'l', protocol: '' }
      const producer = await send.produceData(options)
      const consumer = await receive.consumeData({ dataProducerId: producer.id })
      assert.equal(consumer.label, 'l')
      const closed = new Promise<void>((resolve) => consumer.on('producerClosed', resolve))
      producer.close()
      await closed
      const without = await router.createTransport({ direction: 'send' })
      await assert.rejects(without.produceData(options), refusal('INVALID_REQUEST'))
      router.close()
    })

    test('a stream of one meeting can be received in another, and a router closes with its last transport', async () => {
      const [first, second] = [await sfu.openRouter(), await sfu.openRouter()]
      const [one, other] = [await pair(first), await pair(second)]
      const producer = await one.send.produce({
        kind: 'audio',
        rtpParameters: sampleRtpParameters('audio'),
        watchLevel: true,
      })
      const { rtpCapabilities } = second
      // Two consumers at once share one pipe.
      const [consumer] = await Promise.all([
        other.receive.consume({ producerId: producer.id, rtpCapabilities }),
        other.receive.consume({ producerId: producer.id, rtpCapabilities }),
      ])
      first.close()
      await consumer.resume()
      const closed = told(consumer, 'producerClosed')
      one.receive.close()
      one.send.close()
      await closed
      await assert.rejects(first.createTransport({ direction: 'send' }), refusal('INVALID_STATE'))
      second.close()
    })

    test('a stream reaches several meetings, on whatever workers they are', async () => {
      const [home, ...others] = await Promise.all(Array.from({ length: 5 }, () => sfu.openRouter()))
      const { send } = await pair(home!)
      const producer = await send.produce({ kind: 'audio', rtpParameters: sampleRtpParameters('audio') })
      const data = await send.produceData({
        sctpStreamParameters: { streamId: 1, ordered: true },
        label: 'l',
        protocol: '',
      })
      const consumers: Consumer[] = []
      for (const router of others) {
        const { receive } = await pair(router)
        const { rtpCapabilities } = router
        consumers.push(await receive.consume({ producerId: producer.id, rtpCapabilities }))
        const received = await receive.consumeData({ dataProducerId: data.id })
        assert.equal(received.dataProducerId, data.id)
      }
      for (const { producerId } of consumers) assert.equal(producerId, producer.id)
      const closed = consumers.map((consumer) => told(consumer, 'producerClosed'))
      send.close()
      await Promise.all(closed)
      for (const router of [home!, ...others]) router.close()
    })

    test('two hundred producers can be opened and closed at once', async () => {
      const [first, second] = [await sfu.openRouter(), await sfu.openRouter()]
      const [busy, calm] = [await pair(first), await pair(second)]
      const producer = await calm.send.produce({ kind: 'audio', rtpParameters: sampleRtpParameters('audio') })
      const consumer = await calm.receive.consume({
        producerId: producer.id,
        rtpCapabilities: second.rtpCapabilities,
      })
      await Promise.all(
        Array.from({ length: 200 }, async (_, at) => {
          const one = await busy.send.produce({
            kind: 'audio',
            rtpParameters: { ...sampleRtpParameters('audio', { ssrc: 10_000 + at }), mid: `m${at}` },
          })
          await busy.receive
            .consume({ producerId: one.id, rtpCapabilities: first.rtpCapabilities })
            .catch(() => undefined)
          one.close()
        }),
      )
      await consumer.resume()
      assert.ok((await busy.send.stats()).receiveBytes >= 0)
      first.close()
      second.close()
    })
  })
}

test(
  'when a worker dies, only what was on it is lost, and another worker starts',
  { skip: !locateWorker() },
  async () => {
    const sfu = await kinds.at(-1)![1]()
    const routers = [await sfu.openRouter(), await sfu.openRouter()]
    const transports = await Promise.all(
      routers.map((router) => router.createTransport({ direction: 'send' })),
    )
    const ingress = await routers[0]!.openIngress({
      kind: 'audio',
      rtpParameters: sampleRtpParameters('audio'),
    })
    const died: number[] = []
    const ingressLost = new Promise<void>((resolve) => ingress.on('lost', resolve))
    const first = new Promise<number>((resolve) => {
      for (const [at, transport] of transports.entries()) {
        transport.on('lost', () => {
          died.push(at)
          resolve(at)
        })
      }
    })
    process.kill(workerPids().at(-1)!, 'SIGKILL')
    const dead = await first
    if (dead === 0) await ingressLost
    assert.ok((await transports[1 - dead]!.stats()).receiveBytes >= 0)
    for (const router of routers) {
      await router.ready()
      const { worker } = await router.createTransport({ direction: 'receive' })
      assert.ok(worker === 0 || worker === 1)
    }
    assert.deepEqual(died, [dead])
    await sfu.close()
    assert.deepEqual(workerPids(), [])
  },
)

test('a worker logs what MEDIA_LOG asks for', { skip: !locateWorker() }, async () => {
  const lines: string[] = []
  const heard = Promise.withResolvers<undefined>()
  const log: MediaLog = {
    info: (fields, message) => {
      lines.push(message)
      assert.ok('pid' in fields)
      if (lines.some((line) => /^mediasoup: .*[Ii]ce/.test(line))) heard.resolve(undefined)
    },
    warn: () => undefined,
    error: () => undefined,
  }
  const sfu = await realSfu({ workers: 1, workerLog: 'debug:ice', log })
  try {
    const transport = await (await sfu.openRouter()).createTransport({ direction: 'send' })
    await transport.restartIce()
    await heard.promise
  } finally {
    await sfu.close()
  }
})

test('a worker that a signal ended while it started is no failure, if this process gets the signal a moment later', async () => {
  const stopping = new AbortController()
  const reason = new Error('told to stop')
  const start = realSfu({ workerBin: '/bin/false', workers: 1, stopping: stopping.signal })
  setTimeout(() => stopping.abort(reason), 150)
  await assert.rejects(start, reason)
})

for (const [what, isToldToStop] of [
  ['is reported, where the server goes on', false],
  ['is not reported, where it is the end of the server too', true],
] as const)
  test(`the death of a worker ${what}`, { skip: !locateWorker() }, async () => {
    const failures: string[] = []
    const log: MediaLog = {
      info: () => undefined,
      warn: () => undefined,
      error: (_fields, message) => failures.push(message),
    }
    const stopping = new AbortController()
    const sfu = await realSfu({ workers: 1, stopping: stopping.signal, log })
    try {
      const router = await sfu.openRouter()
      // As with Ctrl-C in a terminal, where this process may see the worker's end before its own signal.
      const transport = await router.createTransport({ direction: 'send' })
      const died = new Promise<void>((resolve) => transport.on('lost', resolve))
      process.kill(workerPids()[0]!, 'SIGINT')
      await died
      if (isToldToStop) stopping.abort(new Error('told to stop'))
      while (!sfu.status.available && sfu.status.isComing) await delay(5)
      assert.equal(sfu.status.available, !isToldToStop)
      while (!isToldToStop && failures.length === 0) await delay(5)
      assert.deepEqual(failures, isToldToStop ? [] : ['restarting a media worker that died'])
    } finally {
      await sfu.close()
    }
  })
