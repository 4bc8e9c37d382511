/** The order of jobs, and what happens to them at the edges: too many at once, a cancelled one, a server that stops. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { outputParts, promptJobs } from '../../../test/support/outputs.ts'
import type { JobEngine } from '../../output/jobs/job.ts'
import { Refusal } from '../../protocol/errors.ts'
import { openStore } from '../../store/open.ts'
import type { Store } from '../../store/store.ts'
import { Jobs, type JobOrdered } from './jobs.ts'

let folder: string
let store: Store
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-jobs-'))
  store = await openStore({ folder })
})
after(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const order = (projectId: string): JobOrdered => ({
  kind: 'meeting-recording-merge',
  projectId,
  meetingId: 'm',
  sessionId: 's',
  outputId: null,
  config: {},
  inputs: [],
  baseUrl: 'http://localhost',
  webhookUrl: null,
  apiKey: null,
})

/** Jobs whose engine goes on until the test ends it. */
function held() {
  const running: { end: () => void }[] = []
  const engine: JobEngine = {
    unavailable: undefined,
    run: (_config, { signal }) =>
      new Promise((resolve, reject) => {
        running.push({ end: () => resolve([]) })
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
  }
  const jobs = new Jobs({
    parts: outputParts(store),
    engines: { ...promptJobs(), 'meeting-recording-merge': engine },
    borrowFile: () => Promise.resolve(undefined),
    maxJobs: 1,
  })
  return { jobs, running }
}

const settled = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise(setImmediate)
}
const stateOf = async (jobId: string) => (await store.jobs.get(jobId))!.state

test('of many that are ordered at the same time, no more are taken than a project may have', async () => {
  const { jobs } = held()
  const answers = await Promise.allSettled(Array.from({ length: 105 }, () => jobs.start(order('greedy'))))
  const refused = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason as Refusal] : []))
  assert.equal(refused.length, 5)
  assert.ok(refused.every(({ code }) => code === 'RATE_LIMITED'))
  assert.equal((await jobs.start(order('other'))).state, 'pending', 'others have places of their own')
  await jobs.close()
  const left = await store.jobs.unfinished()
  assert.equal(left.length, 101)
  for (const { jobId } of left) await store.jobs.delete(jobId, 0)
})

test('projects take turns', async () => {
  const { jobs, running } = held()
  const [first, second, third] = [
    await jobs.start(order('greedy')),
    await jobs.start(order('greedy')),
    await jobs.start(order('greedy')),
  ]
  const other = await jobs.start(order('other'))
  const begun: string[] = []
  for (const turn of [0, 1, 2, 3]) {
    await settled(() => running.length === turn + 1)
    for (const job of [first, second, third, other])
      if ((await stateOf(job.jobId)) === 'processing') begun.push(job.jobId)
    running[turn]!.end()
  }
  assert.deepEqual(
    begun,
    [first, other, second, third].map(({ jobId }) => jobId),
  )
  await settled(async () => (await stateOf(third.jobId)) === 'completed')
  await jobs.close()
})

test('one is cancelled while it waits or runs, and not when it is over', async () => {
  const { jobs, running } = held()
  const [first, second] = [await jobs.start(order('p')), await jobs.start(order('p'))]
  await settled(() => running.length === 1)
  assert.equal((await jobs.cancel(second.jobId)).state, 'cancelled')
  assert.equal((await jobs.cancel(first.jobId)).state, 'cancelled')
  const isOver = (error: unknown): boolean => error instanceof Refusal && error.code === 'INVALID_STATE'
  await assert.rejects(jobs.cancel(first.jobId), isOver)
  await assert.rejects(jobs.cancel('0'.repeat(24)), isOver)
  assert.equal(running.length, 1, 'the one that waited never ran')
  await jobs.close()
})

test('a server that stops begins none, and the next one does what is left', async () => {
  const { jobs, running } = held()
  const interrupted = await jobs.start(order('p'))
  await settled(() => running.length === 1)
  const late = jobs.start(order('p'))
  await jobs.close()
  await assert.rejects(jobs.start(order('p')), { code: 'SERVER_STOPPING' })
  const { jobId } = await late
  assert.deepEqual([await stateOf(interrupted.jobId), await stateOf(jobId)], ['processing', 'pending'])
  const next = held()
  await next.jobs.resume()
  for (const turn of [0, 1]) {
    await settled(() => next.running.length === turn + 1)
    next.running[turn]!.end()
  }
  await settled(async () => (await stateOf(jobId)) === 'completed')
  assert.equal(await stateOf(interrupted.jobId), 'completed')
  await next.jobs.close()
})
