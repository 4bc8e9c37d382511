/** Uploads from a store on disk to a receiver that listens. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { upload } from '../../output/files/upload.ts'
import { openStore } from '../../store/open.ts'
import type { JobRecord, OutputFileRecord, OutputRecord } from '../../store/store.ts'
import { jobsToUpload, recordingsToUpload, Uploads } from './uploads.ts'

interface Got {
  method: string | undefined
  url: string | undefined
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Answers with these statuses, one after the other, then with 200. */
async function receiver(t: TestContext, statuses: number[]) {
  const got: Got[] = []
  const hook = createServer((request, response) => {
    void buffer(request).then((body) => {
      const { method, url, headers } = request
      got.push({ method, url, headers, body })
      response.writeHead(statuses.shift() ?? 200, { location: '/elsewhere' }).end()
    })
  }).listen(0, '127.0.0.1')
  await once(hook, 'listening')
  t.after(() => hook.close())
  const address = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/film.mp4?X-Amz-Signature=secret`
  return { got, address }
}

const content = Buffer.alloc(300_000, 'film')

async function setting(t: TestContext, { mayReach = (): boolean => true } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-uploads-'))
  const path = join(folder, 'recording.mp4')
  await writeFile(path, content)
  const store = await openStore({ folder })
  let now = 1_000_000
  const lines: string[] = []
  const write = (_: object, line: string): void => {
    lines.push(line)
  }
  const uploads = new Uploads({
    source: recordingsToUpload(store.outputs, {
      borrow: () => Promise.resolve({ path, size: 1, release: () => Promise.resolve() }),
    }),
    upload: (address, file, type, signal) => upload(address, file, type, { mayReach, signal }),
    now: () => now,
    log: { info: write, warn: write },
  })
  t.after(async () => {
    await uploads.stop()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  const record = async (uploadTo: string, isOver = true): Promise<OutputRecord> => {
    await store.projects.create({ projectId: 'p', name: 'P', createdAt: 1 } as never).catch(() => undefined)
    const output = {
      outputId: 'a'.repeat(24),
      kind: 'recording',
      projectId: 'p',
      meetingId: 'm',
      sessionId: 's',
      participantId: null,
      config: {},
      secret: 'x',
      baseUrl: 'http://here',
      webhookUrl: null,
      apiKey: null,
      state: 'stopped',
      createdAt: 1,
      startedAt: 1,
      endedAt: isOver ? now : null,
      files: [{ fileId: 'f', path: 'recording.mp4', contentType: 'video/mp4' }],
      storedAt: null,
    } as unknown as OutputRecord
    await store.outputs.create(output, [], uploadTo)
    return output
  }
  const line = async (pattern: RegExp): Promise<void> => {
    while (!lines.some((one) => pattern.test(one))) await new Promise((next) => setTimeout(next, 10))
  }
  return { folder, store, uploads, record, lines, line, pass: (ms: number) => (now += ms) }
}

test('a recording that has ended is put at the address, once, which is sealed until then', async (t) => {
  const { folder, store, uploads, record, line } = await setting(t)
  const { got, address } = await receiver(t, [])
  await record(address)
  for (const file of ['anteroom.db', 'anteroom.db-wal'])
    assert.ok(!(await readFile(join(folder, file))).includes('X-Amz-Signature'), file)
  uploads.start()
  await line(/^uploaded a recording/)
  const [{ method, url, headers, body }] = got as [Got]
  assert.deepEqual([method, url], ['PUT', '/film.mp4?X-Amz-Signature=secret'])
  assert.deepEqual([headers['content-type'], headers['content-length']], ['video/mp4', '300000'])
  assert.ok(body.equals(content))
  assert.deepEqual(await store.outputs.awaitingUpload(9), [])
  assert.equal(got.length, 1)
})

test('the file of a job goes the same way, and one that made none gives the address up', async (t) => {
  const { folder, store, lines, line } = await setting(t)
  const { got, address } = await receiver(t, [])
  const job = (jobId: string, change: Partial<JobRecord>): JobRecord => ({
    jobId: jobId.repeat(24),
    kind: 'meeting-recording-merge',
    projectId: 'p',
    meetingId: 'm',
    sessionId: 's',
    outputId: null,
    config: {},
    inputs: [],
    secret: 'x',
    baseUrl: 'http://here',
    webhookUrl: null,
    apiKey: null,
    state: 'processing',
    createdAt: 1,
    startedAt: 1,
    endedAt: null,
    files: [],
    problem: null,
    storedAt: null,
    ...change,
  })
  const file = { fileId: 'f', path: 'recording.mp4', contentType: 'video/mp4' } as OutputFileRecord
  await store.jobs.create(job('a', { state: 'completed', endedAt: 2, files: [file] }), address)
  await store.jobs.create(job('b', { state: 'failed', endedAt: 3 }), address)
  await store.jobs.create(job('c', {}), address)
  const write = (_: object, text: string): number => lines.push(text)
  const uploads = new Uploads({
    source: jobsToUpload(store.jobs, {
      borrow: (_, path) =>
        Promise.resolve({ path: join(folder, path), size: 1, release: () => Promise.resolve() }),
    }),
    upload: (to, path, type, signal) => upload(to, path, type, { mayReach: () => true, signal }),
    now: () => 4,
    log: { info: write, warn: write },
  })
  t.after(() => uploads.stop())
  uploads.start()
  await line(/^uploaded a job/)
  await line(/^gave up uploading a job: It has no file/)
  assert.deepEqual(
    got.map(({ method, body }) => [method, body.equals(content)]),
    [['PUT', true]],
  )
  await store.jobs.change('c'.repeat(24), { state: 'completed', endedAt: 5 })
  assert.deepEqual(
    (await store.jobs.awaitingUpload(9)).map(({ job, uploadTo }) => [job.jobId, uploadTo]),
    [['c'.repeat(24), address]],
  )
})

test('one that goes on is not uploaded yet', async (t) => {
  const { store, record } = await setting(t)
  await record('https://example.org/', false)
  assert.deepEqual(await store.outputs.awaitingUpload(9), [])
})

test('one that was deleted is not uploaded', async (t) => {
  const { store, record } = await setting(t)
  const { outputId } = await record('https://example.org/')
  await store.outputs.markDeleted(outputId, 2)
  assert.deepEqual(await store.outputs.awaitingUpload(9), [])
})

test('a receiver that fails for a while is tried again', async (t) => {
  const { uploads, record, line, lines, pass } = await setting(t)
  const { got, address } = await receiver(t, [503])
  await record(address)
  uploads.start()
  await line(/tried again in 5 s: The receiver answered 503/)
  pass(5000)
  await line(/^uploaded a recording/)
  assert.equal(got.length, 2)
  assert.ok(!lines.join().includes('Amz'))
})

test('a refusal and a redirect end it, and what is elsewhere is not asked', async (t) => {
  for (const status of [403, 302]) {
    const { store, uploads, record, line } = await setting(t)
    const { got, address } = await receiver(t, [status])
    await record(address)
    uploads.start()
    await line(new RegExp(`^gave up uploading a recording: The receiver answered ${status}`))
    assert.equal(got.length, 1)
    assert.deepEqual(await store.outputs.awaitingUpload(9), [])
  }
})

test('a name that leads to an address inside is not connected to', async (t) => {
  const { uploads, record, line } = await setting(t, { mayReach: () => false })
  const { got, address } = await receiver(t, [])
  await record(address.replace('127.0.0.1', 'localhost'))
  uploads.start()
  await line(/must not be a private address/)
  assert.equal(got.length, 0)
})
