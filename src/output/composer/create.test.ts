/** What is refused before anything starts, and when a browser that cannot be kept running is given up. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { compositionOf } from '../../protocol/outputs.ts'
import type { OutputListener, OutputSource } from '../output.ts'
import { createComposer, type Composer } from './create.ts'

let folder: string
let composer: Composer
let seats = 0
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-create-'))
  let browsers = 0
  composer = createComposer({
    // It starts and ends at once.
    chromiumBin: '/bin/false',
    ffmpegBin: '/bin/false',
    folder: join(folder, 'browsers'),
    pageUrl: () => 'http://127.0.0.1:9',
    isRoot: false,
    guard: {
      mayReach: (address) => address === '8.8.8.8',
      inside: () => undefined,
      ownKeys: () => [],
    },
    newName: () => `browser-${browsers++}`,
    now: Date.now,
    maxCompositions: 1,
    cores: 2,
    diskReserveBytes: 0,
    log: { info: () => undefined, warn: () => undefined },
  })
})
after(async () => {
  await composer.recording.close()
  await rm(folder, { recursive: true })
})

const source: OutputSource = {
  projectId: 'project',
  meetingId: 'meeting',
  sessionId: 'session',
  participants: () => [],
  watch: () => () => undefined,
  listen: () => () => undefined,
  openSeat: () => {
    seats++
    const close = (): void => {
      seats--
    }
    return Promise.resolve({ participantId: 'recorder', token: 'token', close })
  },
}
const silent: OutputListener = {
  started: () => undefined,
  playable: () => undefined,
  transcribed: () => undefined,
  ended: () => undefined,
}
const orderOf = <Config>(config: Config) => ({ outputId: 'output', folder, source, config })

test('a page of a caller that is not safe, or inside, is refused', () => {
  for (const templateUrl of [
    'http://example.org/',
    'file:///etc/passwd',
    'nonsense',
    'https://127.0.0.1/',
    'https://10.0.0.1/',
    'https://[::1]/',
    'http://localhost:9000/',
    'https://2130706433/',
  ]) {
    const order = orderOf({ ...compositionOf({}, templateUrl), fileFormat: 'mp4' as const })
    assert.throws(() => composer.recording.start(order, silent), { code: 'INVALID_REQUEST' }, templateUrl)
  }
  assert.equal(seats, 0)
})

test('an RTMP server inside is refused, and a key that cannot be handed over', () => {
  for (const [url, streamKey] of [
    ['rtmp://127.0.0.1/live', 'key'],
    ['rtmps://localhost/live', 'key'],
    ['rtmp://[fd00::1]/live', 'key'],
    ['rtmp://8.8.8.8/live', 'a\nb'],
  ] as const) {
    const order = orderOf({ ...compositionOf({}), record: false, targets: [{ url, streamKey }] })
    const refusal = { code: 'INVALID_LIVESTREAM_CONFIG' }
    assert.throws(() => composer.livestream.start(order, silent), refusal, url)
  }
  assert.equal(seats, 0)
})

/** How long a recording goes on whose browsers give nothing. */
async function failing(patienceMs?: number): Promise<number> {
  const from = performance.now()
  const { promise, resolve } = Promise.withResolvers<string>()
  const listener = { ...silent, ended: ({ reason }: { reason: string }) => resolve(reason) }
  composer.recording.start(
    orderOf({ ...compositionOf({}), fileFormat: 'mp4' as const, patienceMs }),
    listener,
  )
  assert.equal(await promise, 'failed')
  return performance.now() - from
}

test('a browser that gives nothing is given up at the third try, or when patience is over', async () => {
  const [usual, patient] = [await failing(), await failing(4000)]
  assert.ok(usual < patient, `${usual} ms, ${patient} ms`)
  assert.ok(patient >= 4000, `${patient} ms`)
  await composer.recording.close()
  assert.equal(seats, 0, 'each seat is given back')
})
