/** `anteroom load` with real media, and the addresses that it must not load. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { platform } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RealServer } from './support/real-server.ts'
import { ADMIN_KEY } from './support/test-server.ts'
import { udpSockets } from '../src/udp-sockets.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
let server: RealServer

before(async () => {
  server = await RealServer.start({ MEDIA_WORKERS: '1', STATS_INTERVAL_SECONDS: '1', ADMIN_KEY })
})
after(() => server.stop())

function start(...args: string[]): { child: ChildProcess; done: Promise<{ code: number; said: string }> } {
  const child = spawn(process.execPath, [cli, 'load', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)))
  return { child, done: once(child, 'close').then(([code]) => ({ code: code as number, said })) }
}

async function metric(series: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? 0 : Number(line.slice(series.length + 1))
}

/** Repeats `check` until it does not throw; after half a minute, its error is thrown. */
async function passes(check: () => Promise<void>): Promise<void> {
  const end = performance.now() + 30_000
  for (;;)
    try {
      await check()
      return
    } catch (error) {
      if (performance.now() > end) throw error
      await delay(100)
    }
}

/** Waits until a metric meets a condition; the time limit of the test ends it otherwise. */
async function until(series: string, is: (value: number) => boolean): Promise<void> {
  while (!is(await metric(series))) await delay(100)
}

test('sends only to this machine, even if a server names another', async () => {
  const far = await start('--url', 'https://meet.example.org').done
  assert.equal(far.code, 3)
  assert.match(far.said, /meet\.example\.org is not this machine.*--i-may-load-this-server/)
  for (const url of ['http://127.0.0.1.example.org', 'http://localhost.example.org:9000', 'http://10.0.0.1'])
    assert.equal((await start('--url', url).done).code, 3, url)

  // A server here that names an address elsewhere.
  const lure = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    const answers: Record<string, object> = {
      '/get-token': { token: 'a-token' },
      '/v2/rooms': { roomId: 'aaaa-bbbb-cccc' },
      '/infra/v1/meetings/init-config': { data: { baseUrl: 'meet.example.org' } },
    }
    request.resume()
    response.end(JSON.stringify(answers[request.url!] ?? {}))
  }).listen(0, '127.0.0.1')
  await once(lure, 'listening')
  try {
    const url = `http://127.0.0.1:${(lure.address() as AddressInfo).port}`
    const { code, said } = await start('--url', url, '--seconds', '1', '--json').done
    assert.equal(code, 1)
    const { joined, failures } = JSON.parse(said)
    assert.equal(joined, 0)
    assert.match(Object.keys(failures)[0]!, /meet\.example\.org is not this machine/)
  } finally {
    lure.close()
  }
})

test('a mistyped option fails with one sentence', async () => {
  for (const [args, sentence] of [
    [['--participants', '0'], /--participants must be a whole number from 1 to 500/],
    [['--meetings', '500', '--participants', '500'], /250000 people are more than 2000/],
    [['--url', 'localhost'], /--url must be an http or https address/],
  ] as const) {
    const { code, said } = await start(...args).done
    assert.equal(code, 2)
    assert.match(said, sentence)
    assert.equal(said.trim().split('\n').length, 1)
  }
})

test('three people in a meeting receive the frames of each other', { timeout: 300_000 }, async () => {
  const { done } = start('--url', server.url, '--participants', '3', '--seconds', '4', '--json')
  await until('anteroom_media_bitrate{direction="out"}', (bitrate) => bitrate > 100_000)
  assert.ok((await metric('anteroom_media_bitrate{direction="in"}')) > 50_000)
  const { code, said } = await done
  assert.equal(code, 0, said)
  const { joined, lost, joinMs, firstMediaMs, delayMs, streams, serverCpuPercent } = JSON.parse(said)
  assert.deepEqual([joined, lost], [3, 0])
  // Sound and video of two others for each of three.
  assert.deepEqual([streams.expected, streams.flowing], [12, 12])
  assert.ok(streams.framesReceived > 300, said)
  assert.ok(streams.packetsReceived > streams.packetsSent, 'what one sends two receive')
  assert.ok(streams.opened >= 12 && streams.unopened === 0, 'what is received is what was sent')
  for (const quantiles of [joinMs, firstMediaMs, delayMs]) {
    assert.ok(quantiles.p50 > 0 && quantiles.p50 <= quantiles.p95 && quantiles.p95 <= quantiles.max)
  }
  assert.ok(serverCpuPercent > 0)
  assert.ok((await metric('anteroom_media_worker_cpu_seconds_total{worker="0"}')) > 0)
  await until('anteroom_participants', (count) => count === 0)
})

test(
  'two of three send, three layers each, and the report shows the load of each worker',
  { timeout: 300_000 },
  async () => {
    const { code, said } = await start(
      ...['--url', server.url, '--participants', '3', '--senders', '2', '--layers', '3'],
      ...['--seconds', '4', '--video-kbps', '400', '--json'],
    ).done
    assert.equal(code, 0, said)
    const { streams, workers } = JSON.parse(said)
    // Sound and video of two senders: each receives the other's, and the third both.
    assert.deepEqual([streams.expected, streams.flowing], [8, 8])
    assert.equal(streams.unopened, 0)
    const [worker, ...others] = workers
    assert.deepEqual(others, [])
    assert.deepEqual([worker.participants, worker.streamsIn, worker.streamsOut], [3, 4, 8])
    assert.deepEqual([worker.packetsIn, worker.packetsOut], [streams.packetsSent, streams.packetsReceived])
    assert.deepEqual([worker.pipesIn, worker.pipesOut], [0, 0])
    assert.ok(worker.cpuPercent > 0)
  },
)

async function droppedAt(port: number): Promise<number> {
  const sockets = (await udpSockets()) ?? []
  return sockets.reduce((sum, socket) => sum + (socket.port === port ? socket.dropped : 0), 0)
}

test(
  'counts packets that a media worker was too slow to read, and reports them',
  { timeout: 300_000, skip: platform() !== 'linux' },
  async () => {
    const DROPS = 'anteroom_media_worker_dropped_datagrams_total{worker="0"}'
    const before = await metric(DROPS)
    const joins = await metric('anteroom_join_seconds_count{entry="direct"}')
    const { child, done } = start('--url', server.url, '--participants', '2', '--seconds', '600', '--json')
    await until('anteroom_join_seconds_count{entry="direct"}', (count) => count >= joins + 2)
    const [worker] = server.workers
    const [port, datagram] = [Number(server.env.MEDIA_PORT), Buffer.alloc(1000)]
    const flood = createSocket('udp4')
    try {
      process.kill(worker!, 'SIGSTOP')
      // Not longer than necessary, because a client that waits for the worker gives up eventually.
      const unread = await droppedAt(port)
      while ((await droppedAt(port)) === unread)
        await Promise.all(
          Array.from(
            { length: 1000 },
            () => new Promise((next) => flood.send(datagram, port, '127.0.0.1', next)),
          ),
        )
    } finally {
      process.kill(worker!, 'SIGCONT')
      flood.close()
    }
    const after = await metric(DROPS)
    assert.ok(after > before, `${before} before, ${after} after`)
    child.kill('SIGINT')
    const { streams } = JSON.parse((await done).said)
    assert.ok(streams.droppedThere >= after - before, JSON.stringify(streams))
  },
)

test('Ctrl-C ends it in order: everybody leaves, and it reports', { timeout: 300_000 }, async () => {
  const { child, done } = start('--url', server.url, '--participants', '2', '--seconds', '600', '--json')
  const before = await metric('anteroom_join_seconds_count{entry="direct"}')
  await until('anteroom_join_seconds_count{entry="direct"}', (count) => count >= before + 2)
  child.kill('SIGINT')
  const { code, said } = await done
  assert.equal(code, 0, said)
  const { stoppedEarly, lost, joined } = JSON.parse(said)
  assert.deepEqual([stoppedEarly, lost, joined], [true, 0, 2])
  await until('anteroom_participants', (count) => count === 0)
})

test(
  'the debug view of a meeting shows connected transports and flowing streams',
  { timeout: 300_000 },
  async () => {
    const { done } = start('--url', server.url, '--participants', '2', '--seconds', '15', '--json')
    const look = async (): Promise<void> => {
      const { body: sessions } = await server.rest('GET', '/v2/sessions')
      const ongoing = sessions.data.find(({ status }: { status: string }) => status === 'ongoing')
      assert.ok(ongoing, 'a session goes on')
      const path = `/v2/admin/debug/meetings/${ongoing.roomId}`
      const { status, body } = await server.rest('GET', path, undefined, `Bearer ${ADMIN_KEY}`)
      assert.equal(status, 200)
      assert.equal(body.members.length, 2)
      for (const { transports, producers, consumers } of body.members) {
        for (const { ice, dtls, selectedPair } of transports) {
          assert.match(ice, /^(connected|completed)$/)
          assert.equal(dtls, 'connected')
          assert.match(selectedPair.remoteAddress, /^(127\.0\.0\.1|::1)$/)
          assert.ok(selectedPair.remotePort > 0)
        }
        assert.ok(transports.some(({ fromClientBitrate }: any) => fromClientBitrate > 10_000))
        assert.ok(
          producers.every(({ scores }: any) => scores.length > 0 && scores.every((one: number) => one > 0)),
        )
        assert.ok(consumers.length > 0)
        assert.ok(consumers.every(({ score, producerScore }: any) => score > 0 && producerScore > 0))
      }
    }
    await passes(look)
    assert.equal((await done).code, 0)
  },
)
