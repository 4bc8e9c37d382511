/** `/health` and `/health/ready` report the current state: the real program with its media workers killed. */
import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { RealServer } from './support/real-server.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

const PATIENCE_MS = 60_000

test('without media workers the server is not ready and says why, and recovers by itself', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-readiness-'))
  const worker = join(folder, 'mediasoup-worker')
  await copyFile(locateWorker()!.bin, worker)
  const server = await RealServer.start({ MEDIASOUP_WORKER_BIN: worker, LOG_LEVEL: 'silent' })
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    const giveUpAt = Date.now() + PATIENCE_MS
    while (!(await holds())) {
      assert.ok(Date.now() < giveUpAt, server.output)
      await delay(20)
    }
  }
  const ready = () => server.rest('GET', '/health/ready')
  const media = async () => (await server.rest('GET', '/health')).body.media
  try {
    assert.deepEqual(await media(), { available: true, workers: 2, tried: true })
    const meetingId = await server.createMeeting()
    const initConfig = () => {
      const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
      return server.rest('POST', '/infra/v1/meetings/init-config', { roomId: meetingId }, token)
    }
    assert.equal((await initConfig()).status, 200)

    // One of two workers is missing: people can join, and the status says so.
    await rename(worker, `${worker}.away`)
    process.kill(server.workers[0]!, 'SIGKILL')
    await until(async () => (await ready()).body.troubled.length > 0)
    const troubled = await ready()
    assert.equal(troubled.status, 200)
    assert.deepEqual(troubled.body.troubled, [
      { part: 'media', reason: 'Only 1 of 2 media workers run; the others are being replaced.' },
    ])
    assert.equal((await initConfig()).status, 200)

    server.killWorkers()
    await until(async () => (await ready()).status === 503)
    const { body } = await ready()
    assert.equal(body.ready, false)
    assert.deepEqual(
      body.missing.map(({ part }: any) => part),
      ['media'],
    )
    assert.match(body.missing[0].reason, /^Media is off: no media worker runs/)
    assert.deepEqual(await media(), { available: false, reason: body.missing[0].reason })
    // After the first failed start of a replacement, nobody waits for one.
    await until(async () => (await initConfig()).status === 503)
    assert.equal((await initConfig()).body.name, 'MEDIA_UNAVAILABLE')
    assert.equal((await server.rest('GET', '/health/live')).status, 200)

    await rename(`${worker}.away`, worker)
    await until(async () => (await media()).workers === 2)
    assert.deepEqual(await ready(), { status: 200, body: { ready: true, missing: [], troubled: [] } })
    assert.equal((await initConfig()).status, 200)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
