import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openStore } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { createCatalogue, newMeetingId, type Catalogue } from './catalogue.ts'

const PROJECT = 'a'.repeat(24)
let folder: string
let store: Store
let catalogue: Catalogue

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-catalogue-'))
  store = await openStore({ folder })
  await store.projects.create({ projectId: PROJECT, name: 'p', webhook: null, createdAt: 1 })
  catalogue = createCatalogue({ store, now: Date.now, randomBytes })
})
after(async () => {
  await store.close()
  await rm(folder, { recursive: true })
})

/** Writes directly to the store, as a version without the rule did. */
function madeBefore(customId: string) {
  const id = randomBytes(12).toString('hex')
  const meetingId = newMeetingId(randomBytes)
  return store.meetings.create({
    ...{ id, meetingId, projectId: PROJECT, customId, settings: {} },
    ...{ disabledAt: null, createdAt: 1, updatedAt: 1 },
  })
}

test('a custom id from before the rule is still found and returned; no new one like it is created', async () => {
  for (const customId of ['b\ufffdro', 'bu\u0308ro', 'team\u200b', '..', 'validate', ' x ']) {
    const there = await madeBefore(customId)
    assert.deepEqual(await catalogue.create(PROJECT, { customId }), there)
    assert.deepEqual(await catalogue.find(PROJECT, customId), there)
    assert.deepEqual(await catalogue.find(PROJECT, there.meetingId), there)
    await assert.rejects(catalogue.create('b'.repeat(24), { customId }), { code: 'INVALID_REQUEST' })
  }
  await assert.rejects(catalogue.create(PROJECT, { customId: 'te\u0301am' }), {
    message: 'A custom id must be in Unicode normal form C.',
  })
  // An app that moves here brings its old ids, which look like ours.
  assert.equal((await catalogue.create(PROJECT, { customId: 'abcd-efgh-ijkl' })).customId, 'abcd-efgh-ijkl')
})

test('a meeting gets another id if the first is already a custom id of the project', async () => {
  const taken = newMeetingId((size) => Buffer.alloc(size))
  await madeBefore(taken)
  let calls = 0
  const unlucky = createCatalogue({
    store,
    now: Date.now,
    // The first bytes become the id of the record, the next ones that of the meeting.
    randomBytes: (size) => (++calls === 2 ? Buffer.alloc(size) : randomBytes(size)),
  })
  const made = await unlucky.create(PROJECT)
  assert.ok(calls > 2)
  assert.notEqual(made.meetingId, taken)
  assert.equal((await store.meetings.find(PROJECT, taken))!.customId, taken)
})

test('refuses a custom id that is the id of another meeting of the project', async () => {
  const { id, meetingId } = await catalogue.create(PROJECT)
  for (const customId of [id, meetingId]) {
    await assert.rejects(catalogue.create(PROJECT, { customId }), {
      code: 'INVALID_REQUEST',
      message: 'The custom id is the id of another meeting.',
    })
  }
})
