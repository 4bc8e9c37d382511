import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import type { FileStore } from '../../output/files/files.ts'
import type { OutputRecord } from '../../store/store.ts'
import { KeptFiles } from './kept-files.ts'
import { PutAway } from './put-away.ts'

const file = { path: 'a.mp4' } as OutputRecord['files'][number]
const ended = (outputId: string) =>
  ({ outputId, config: {}, files: [file], storedAt: null }) as unknown as OutputRecord

test('outputs whose files are gone do not hold up the others', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-put-away-'))
  mock.timers.enable({ apis: ['setTimeout'] })
  // Each round begins some time after the one before has ended.
  const ticks = setInterval(() => {
    mock.timers.tick(3000)
  }, 5)
  t.after(async () => {
    clearInterval(ticks)
    mock.timers.reset()
    await rm(folder, { recursive: true, force: true })
  })
  const folderOf = (outputId: string): string => join(folder, outputId)
  // As many as are looked at in one round, and older than the one that has its file.
  const all = [...Array.from({ length: 100 }, (_, at) => ended(`gone-${at}`)), ended('whole')]
  await mkdir(folderOf('whole'))
  await writeFile(join(folderOf('whole'), 'a.mp4'), 'film')
  const put: string[] = []
  const files: FileStore = {
    place: 'a store',
    put: (key) => {
      put.push(key)
      return Promise.resolve()
    },
    sizeOf: () => Promise.resolve(undefined),
    read: () => Promise.resolve(undefined),
    list: () => Promise.resolve([]),
    drop: () => Promise.resolve(),
    close: () => undefined,
  }
  const stored = Promise.withResolvers<string>()
  const outputs = {
    get: (outputId: string) => Promise.resolve(all.find((one) => one.outputId === outputId)),
    change: (outputId: string) => {
      stored.resolve(outputId)
      return Promise.resolve()
    },
    unstored: (limit: number) => Promise.resolve(all.slice(0, limit)),
    elsewhere: () => Promise.resolve(undefined),
    deleted: () => Promise.resolve([]),
    markDeleted: () => Promise.resolve(),
    delete: () => Promise.resolve(true),
    pieces: { unstored: () => Promise.resolve([]) } as never,
  }
  const jobs = {
    get: () => Promise.resolve(undefined),
    change: () => Promise.resolve(),
    unstored: () => Promise.resolve([]),
    deleted: () => Promise.resolve([]),
    markDeleted: () => Promise.resolve(),
    delete: () => Promise.resolve(true),
  }
  let warnings = 0
  const warn = (): void => {
    warnings++
  }
  const kept = new KeptFiles({
    beforeDrop: () => Promise.resolve(),
    outputs,
    jobs,
    files,
    folderOf,
    borrowedFolder: folder,
    hasRoom: () => Promise.resolve(true),
    newId: () => 'id',
    now: () => 1,
  })
  const putAway = new PutAway({
    outputs,
    jobs,
    files,
    kept,
    folder,
    folderOf,
    now: () => 1,
    log: { info: () => undefined, warn },
  })
  putAway.start()
  assert.equal(await stored.promise, 'whole')
  assert.deepEqual(put, ['whole/a.mp4'])
  assert.equal(warnings, 100, 'those that are gone are looked at once')
  await putAway.stop()
})
