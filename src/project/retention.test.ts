/** What is recorded of sessions: found by page from either end, and gone when it is old. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sweep } from './retention.ts'
import { openStore } from '../store/open.ts'
import type { JobRecord, NewDelivery, OutputRecord, Store } from '../store/store.ts'
import { meetingRecord } from '../../test/support/records.ts'

const PROJECT = 'p'
const DAY_MS = 86_400_000
let folder: string
let store: Store

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-records-'))
  store = await openStore({ folder: join(folder, 'data') })
  await store.projects.create({ projectId: PROJECT, name: 'p', webhook: null, createdAt: 1 })
  for (const meetingId of ['one', 'two']) {
    await store.meetings.create(meetingRecord({ id: meetingId, meetingId, projectId: PROJECT }))
  }
  for (let day = 1; day <= 25; day++) await hold(`s${String(day).padStart(2, '0')}`, day)
  await begin('live', 26)
})
after(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const begin = (sessionId: string, day: number) =>
  store.sessions.start({
    sessionId,
    meetingId: day % 2 === 0 ? 'two' : 'one',
    projectId: PROJECT,
    startedAt: day * DAY_MS,
    endedAt: null,
    endReason: null,
  })

async function hold(sessionId: string, day: number): Promise<void> {
  await begin(sessionId, day)
  await store.sessions.join(
    {
      sessionId,
      participantId: 'ann',
      name: 'Ann',
      joinedAt: day * DAY_MS,
      leftAt: null,
      leaveReason: null,
      device: null,
      tokenId: null,
      apiKey: null,
    },
    'SEND_AND_RECV',
  )
  await store.figures.addStats([
    { sessionId, participantId: 'ann', at: day * DAY_MS, figures: [1, null, 2.5] },
  ])
  await store.figures.addSample({ at: day * DAY_MS, figures: { participants: 1 } })
  await store.sessions.end(sessionId, day * DAY_MS + 1000, 'empty')
}

const ids = async (page: number, filter?: Parameters<Store['sessions']['list']>[2]) => {
  const { items, total } = await store.sessions.list(PROJECT, { page, perPage: 4 }, filter)
  return { ids: items.map(({ sessionId }) => sessionId), total }
}

test('pages read from either end fit together, newest first', async () => {
  const seen: string[] = []
  for (let page = 1; page <= 7; page++) seen.push(...(await ids(page)).ids)
  assert.equal(seen.length, 26)
  assert.deepEqual(
    seen,
    seen
      .toSorted()
      .reverse()
      .toSorted((a, b) => (a === 'live' ? -1 : b === 'live' ? 1 : 0)),
  )
  assert.deepEqual((await ids(7)).ids, ['s02', 's01'])
  assert.deepEqual(await ids(8), { ids: [], total: 26 })
})

test('filters find and count the same', async () => {
  assert.deepEqual(await ids(1, { ongoing: true }), { ids: ['live'], total: 1 })
  assert.equal((await ids(1, { ongoing: false })).total, 25)
  assert.deepEqual((await ids(4, { meetingId: 'one' })).ids, ['s01'])
  assert.deepEqual(await ids(1, { startedFrom: 3 * DAY_MS, startedTo: 5 * DAY_MS }), {
    ids: ['s05', 's04', 's03'],
    total: 3,
  })
  assert.deepEqual(await ids(1, { meetingId: 'one', ongoing: true }), { ids: [], total: 0 })
})

test('the end of a session closes once what is open in it', async () => {
  const [stay] = await store.sessions.stays('s01')
  assert.equal(stay!.leftAt, DAY_MS + 1000)
  const [mode] = await store.sessions.intervals('s01', ['ann'])
  assert.deepEqual([mode!.kind, mode!.value, mode!.endedAt], ['mode', 'SEND_AND_RECV', DAY_MS + 1000])
  const told: NewDelivery = {
    deliveryId: 'd',
    projectId: PROJECT,
    meetingId: 'one',
    sessionId: 's01',
    event: 'session-ended',
    endPoint: 'https://receiver.example',
    body: '{}',
    occurredAt: 1,
    about: null,
  }
  await store.sessions.end('s01', 99 * DAY_MS, 'again', [told])
  assert.equal((await store.sessions.get('s01'))!.endReason, 'empty')
  assert.equal((await store.outbox.list(PROJECT, { page: 1, perPage: 10 })).total, 0)
})

test('deletes old sessions in steps with all their records, and keeps recent and ongoing ones', async () => {
  let pauses = 0
  const said = Array.from({ length: 450 }, (_, at) =>
    store.chat.append({
      sessionId: 's01',
      messageId: `m${at}`,
      clientMessageId: '',
      topic: 'CHAT',
      senderId: 'ann',
      senderName: 'Ann',
      message: 'hello',
      payload: Buffer.alloc(0),
      sendOnly: at % 2 ? ['bob'] : [],
      at,
      tokenId: null,
      accountId: null,
      bytes: 300,
    }),
  )
  await Promise.all(said)
  const steps: number[] = []
  const options = {
    isMine: true,
    store: {
      ...store,
      sessions: {
        ...store.sessions,
        dropEndedBefore: async (at: number, limit: number) => {
          const gone = await store.sessions.dropEndedBefore(at, limit)
          steps.push(gone / limit)
          return gone
        },
      },
    },
    now: () => 31 * DAY_MS,
    dropOutput: () => Promise.resolve(),
    dropJob: () => Promise.resolve(),
    pause: () => {
      pauses++
      return Promise.resolve()
    },
  }
  assert.equal(
    await sweep({
      ...options,
      retentionDays: 0,
      statsRetentionDays: 0,
      outputRetentionDays: 0,
      auditRetentionDays: 0,
      usageRetentionDays: 0,
    }),
    0,
  )
  assert.ok(
    (await sweep({
      ...options,
      retentionDays: 20,
      statsRetentionDays: 10,
      outputRetentionDays: 0,
      auditRetentionDays: 0,
      usageRetentionDays: 0,
    })) > 0,
  )
  assert.ok(pauses > 0)
  // A session of many rows takes many steps, and none is larger than the others.
  assert.ok(steps.length > 4 && steps.every((share) => share <= 1.1), String(steps))
  assert.deepEqual(await store.chat.held('s01'), { last: 0, shares: [] })
  assert.equal((await store.chat.page('s01', { page: 1, perPage: 10 }, { hearer: 'bob' })).total, 0)
  const left = await ids(1)
  assert.deepEqual([left.total, left.ids[0]], [16, 'live'])
  assert.equal(await store.sessions.get('s10'), undefined)
  assert.deepEqual(await store.sessions.stays('s10'), [])
  assert.deepEqual(await store.figures.stats({ sessionId: 's20', limit: 9 }), [])
  assert.deepEqual((await store.figures.stats({ sessionId: 's22', limit: 9 }))[0]!.figures, [1, null, 2.5])
  assert.deepEqual(
    (await store.figures.samples(0, 100 * DAY_MS)).map(({ at }) => at / DAY_MS),
    [21, 22, 23, 24, 25],
  )
})

const job = (jobId: string, endedAt: number | null, kind: JobRecord['kind'] = 'hls-to-mp4'): JobRecord => ({
  jobId,
  kind,
  projectId: PROJECT,
  meetingId: 'm',
  sessionId: 's',
  outputId: null,
  config: {},
  inputs: [],
  secret: 'secret',
  baseUrl: 'http://localhost',
  webhookUrl: null,
  apiKey: null,
  state: endedAt === null ? 'processing' : 'completed',
  createdAt: 1,
  startedAt: 1,
  endedAt,
  files: [],
  problem: null,
  storedAt: null,
})

test('an output goes with its files when it is old, and one that goes on stays', async () => {
  const output = (outputId: string, endedAt: number | null): OutputRecord => ({
    outputId,
    kind: 'recording',
    projectId: PROJECT,
    meetingId: 'm',
    sessionId: 's',
    participantId: null,
    config: {},
    secret: 'secret',
    baseUrl: 'http://localhost',
    webhookUrl: null,
    apiKey: null,
    state: endedAt === null ? 'started' : 'stopped',
    createdAt: 1,
    startedAt: 1,
    endedAt,
    files: [],
    storedAt: null,
  })
  for (const one of [output('old', 5 * DAY_MS), output('young', 15 * DAY_MS), output('going', null)])
    await store.outputs.create(one)
  const dropped: string[] = []
  const days = {
    retentionDays: 0,
    statsRetentionDays: 0,
    outputRetentionDays: 10,
    auditRetentionDays: 0,
    usageRetentionDays: 0,
  }
  const dropOutput = async ({ outputId }: OutputRecord) => {
    dropped.push(outputId)
    await store.outputs.markDeleted(outputId, 20 * DAY_MS)
  }
  for (const one of [job('old job', 5 * DAY_MS), job('young job', 15 * DAY_MS), job('going job', null)])
    await store.jobs.create(one)
  await sweep({
    ...days,
    isMine: true,
    store,
    dropOutput,
    dropJob: async ({ jobId }) => {
      dropped.push(jobId)
      await store.jobs.delete(jobId, 20 * DAY_MS)
    },
    now: () => 20 * DAY_MS,
    pause: () => Promise.resolve(),
  })
  assert.deepEqual(dropped, ['old', 'old job'])
  // Whoever asks who deleted it finds that nobody did.
  const deletions = (await store.audit.read(0, 10)).map(({ actor, action, subject }) => [
    actor,
    action,
    subject,
  ])
  assert.deepEqual(deletions, [['server', 'recording.delete', 'old']])
  assert.deepEqual(
    await Promise.all(['old job', 'young job', 'going job'].map(async (id) => !!(await store.jobs.get(id)))),
    [false, true, true],
  )
  const { items } = await store.outputs.list(PROJECT, { kind: 'recording' }, { page: 1, perPage: 10 })
  assert.deepEqual(items.map(({ outputId }) => outputId).sort(), ['going', 'young'])
})

test('each kind of data has a time of its own, and what has none goes with its session', async () => {
  await begin('r-old', 1)
  await store.sessions.end('r-old', DAY_MS + 1000, 'empty')
  await begin('r-live', 1)
  const message = (sessionId: string, day: number) => ({
    sessionId,
    messageId: `${sessionId} ${day}`,
    clientMessageId: '',
    topic: 'CHAT',
    senderId: 'ann',
    senderName: 'Ann',
    message: 'hello',
    payload: Buffer.alloc(0),
    sendOnly: ['bob'],
    at: day * DAY_MS,
    tokenId: null,
    accountId: null,
    bytes: 300,
  })
  for (const sessionId of ['r-old', 'r-live'])
    for (const day of [2, 18]) await store.chat.append(message(sessionId, day))
  const kept = async (sessionId: string) =>
    (await store.chat.page(sessionId, { page: 1, perPage: 10 }, { hearer: 'bob' })).total
  const ofTranscript = (outputId: string, kind: OutputRecord['kind']): OutputRecord => ({
    outputId,
    kind,
    projectId: PROJECT,
    meetingId: 'm',
    sessionId: 'r-old',
    participantId: null,
    config: {},
    secret: 'secret',
    baseUrl: 'http://localhost',
    webhookUrl: null,
    apiKey: null,
    state: 'stopped',
    createdAt: 1,
    startedAt: 1,
    endedAt: 2 * DAY_MS,
    files: [],
    storedAt: null,
  })
  await store.outputs.create(ofTranscript('r-text', 'transcription'))
  await store.outputs.create(ofTranscript('r-film', 'recording'))
  await store.jobs.create(job('r-text of a film', 2 * DAY_MS, 'post-transcription'))
  await store.jobs.create(job('r-copy of a film', 2 * DAY_MS))
  const used = { projectId: PROJECT, apiKey: 'k', participants: 1 }
  const days = ['1970-01-05', '1970-01-31', '1970-02-14']
  await store.usage.add(days.map((day) => ({ ...used, day })))

  const dropped: string[] = []
  const run = (own: Partial<Parameters<typeof sweep>[0]>, at = 20 * DAY_MS) =>
    sweep({
      retentionDays: 0,
      statsRetentionDays: 0,
      outputRetentionDays: 0,
      auditRetentionDays: 0,
      usageRetentionDays: 0,
      isMine: true,
      store,
      dropOutput: async ({ outputId }) => {
        dropped.push(outputId)
        await store.outputs.markDeleted(outputId, at)
      },
      dropJob: async ({ jobId }) => {
        dropped.push(jobId)
        await store.jobs.delete(jobId, at)
      },
      now: () => at,
      pause: () => Promise.resolve(),
      ...own,
    })
  await run({})
  assert.deepEqual([await kept('r-old'), dropped], [2, []])
  await run({ chatRetentionDays: 10, transcriptRetentionDays: 10 })
  assert.deepEqual(
    [await kept('r-old'), await kept('r-live'), dropped],
    [1, 2, ['r-text', 'r-text of a film']],
  )
  const deletion = (await store.audit.read(0, 100)).find(({ subject }) => subject === 'r-text')
  assert.deepEqual(deletion?.facts, { transcriptRetentionDays: 10 })
  assert.ok(await store.sessions.get('r-old'))

  const seen = async (by: 'day' | 'month') =>
    (
      await store.usage.list(
        { by, from: '1970-01-01', to: '1970-02-28', per: 'server' },
        { page: 1, perPage: 10 },
      )
    ).items.map(({ period, participants }) => `${period} ${participants}`)
  await run({ usageRetentionDays: 20 }, 40 * DAY_MS)
  assert.deepEqual(await seen('day'), ['1970-02-14 1', '1970-01-31 1'])
  assert.deepEqual(await seen('month'), ['1970-02 1', '1970-01 2'])
  await run({ usageRetentionDays: 1 }, 45 * DAY_MS)
  assert.deepEqual(await seen('month'), ['1970-02 1'])
  assert.equal((await store.usage.totals())[0]!.participants, 3, 'counters of metrics never fall')
})

test('deliveries of webhooks may be kept shorter than sessions', async () => {
  const asked: [string, number][] = []
  const note = (name: string) => async (before: number) => {
    asked.push([name, before / DAY_MS])
    return 0
  }
  await sweep({
    retentionDays: 30,
    webhookRetentionDays: 5,
    statsRetentionDays: 0,
    outputRetentionDays: 0,
    auditRetentionDays: 0,
    usageRetentionDays: 0,
    isMine: true,
    store: {
      ...store,
      sessions: { ...store.sessions, dropEndedBefore: note('sessions') },
      outbox: { ...store.outbox, dropSettledBefore: note('deliveries') },
    },
    dropOutput: () => Promise.resolve(),
    dropJob: () => Promise.resolve(),
    now: () => 100 * DAY_MS,
    pause: () => Promise.resolve(),
  })
  assert.deepEqual(asked, [
    ['sessions', 70],
    ['deliveries', 95],
  ])
})
