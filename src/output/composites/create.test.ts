/** Composite recordings where something fails, without media and without ffmpeg. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { CompositeConfig, OutputListener, OutputProblem, OutputSource } from '../output.ts'
import { ScriptedStream } from '../../../test/support/scripted-source.ts'
import { createCompositeRecorder } from './create.ts'

const config: CompositeConfig = {
  participants: null,
  marks: [{ type: 'topic', topic: 'CHAT' }],
  fileFormat: 'mp4',
}

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'composite-'))
  const warned: string[] = []
  const engine = createCompositeRecorder({
    ffmpeg: undefined,
    reserveBytes: 0,
    now: () => 1000,
    log: {
      info: () => undefined,
      warn: (_facts: object, sentence: string) => void warned.push(sentence),
    },
  })
  t.after(async () => {
    await engine.close()
    await rm(folder, { recursive: true, force: true })
  })
  const open = new Set<string>()
  const says: ((message: { at: number; text: string }) => void)[] = []
  const opened = (what: string) => {
    open.add(what)
    return () => void open.delete(what)
  }
  const source = (offered: ScriptedStream[]): OutputSource => ({
    projectId: 'p',
    meetingId: 'm',
    sessionId: 's',
    participants: () => [],
    watch: (watcher) => {
      for (const stream of offered) watcher.offer(stream)
      return opened('streams')
    },
    listen: (_topic, hear) => {
      says.push(hear)
      return opened('chat')
    },
    openSeat: () => Promise.reject(new Error('nobody sits here')),
  })
  let tell: (problem: OutputProblem) => void
  const ended = new Promise<OutputProblem>((resolve) => (tell = resolve))
  const nothing = (): void => undefined
  const listener: OutputListener = {
    started: nothing,
    playable: nothing,
    transcribed: nothing,
    ended: (problem) => tell(problem),
  }
  const start = (offered: ScriptedStream[] = []) =>
    engine.start({ outputId: 'o', folder, config, source: source(offered) }, listener)
  return { engine, folder, start, open, says, ended, warned }
}

test('a recording that cannot be written at its beginning ends, and watches and hears nothing any more', async (t) => {
  const { folder, start, open, ended } = await setUp(t)
  // A file where a folder is needed.
  await writeFile(join(folder, 'tracks'), '')
  start([new ScriptedStream({ producerId: 'one', ownerId: 'ann', kind: 'audio', codec: 'audio' })])
  assert.equal((await ended).reason, 'failed')
  assert.deepEqual([...open], [])
})

test('a message that cannot be kept is no failure of its sender', async (t) => {
  const { folder, start, open, says, warned } = await setUp(t)
  const run = start()
  await mkdir(join(folder, 'messages-0.jsonl'))
  for (const say of says) say({ at: 1, text: 'hello' })
  assert.deepEqual(warned, ['failed to keep a message for a composite recording'])
  assert.deepEqual([...open].sort(), ['chat', 'streams'])
  assert.deepEqual(await run.stop(), [])
  assert.deepEqual([...open], [])
})

test('a stream without its description does not prevent the others from being finished', async (t) => {
  const { engine, folder, start, warned } = await setUp(t)
  await start().stop()
  await mkdir(join(folder, 'tracks', '0001'), { recursive: true })
  await writeFile(join(folder, 'tracks', '0001', 'lane.json'), '{"folder":')
  assert.deepEqual(await engine.recover({ outputId: 'o', folder, config }), [])
  assert.equal(warned.length, 1)
})
