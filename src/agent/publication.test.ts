import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { AgentMedia } from './media.ts'
import { OwnStream } from './publication.ts'
import { SoundSchedule } from './schedule.ts'
import type { SoundPacket } from './sound.ts'

const STREAMS = 20

function busyFor(ms: number): void {
  for (const began = performance.now(); performance.now() - began < ms;);
}

test('after a delay, what many streams lack is prepared a little at a time', async () => {
  let prepared = 0
  async function* encoded(): AsyncGenerator<SoundPacket> {
    for (;;) {
      // As long as an encoder takes on a slow machine.
      busyFor(1)
      prepared++
      yield { data: new Uint8Array(8), durationMs: 20, level: 30 }
    }
  }
  const peer = { seal: () => Buffer.alloc(20), sendSealed: () => undefined, report: () => undefined }
  const media = {
    closed: false,
    produce: () => Promise.resolve({ producerId: 'producer', peer }),
    stop: () => Promise.resolve(),
  } as unknown as AgentMedia
  const streams = Array.from(
    { length: STREAMS },
    () =>
      new OwnStream({
        kind: 'audio',
        codec: 'opus',
        source: encoded(),
        schedule: new SoundSchedule(),
        appData: {},
        cname: 'agent',
        onEnd: () => undefined,
      }),
  )
  await Promise.all(streams.map((stream) => stream.attach(media)))
  // As much as they take in advance.
  while (prepared < 10 * STREAMS) await delay(5)
  busyFor(150)
  let most = 0
  const before = prepared
  while (prepared < before + 7 * STREAMS) {
    const atFirst = prepared
    await nextTurn()
    most = Math.max(most, prepared - atFirst)
  }
  await Promise.all(streams.map((stream) => stream.stop()))
  assert.ok(most <= 2 * STREAMS, `${most} packets in one turn`)
})
