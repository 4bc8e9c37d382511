/** Concurrent calls of the outbox in any number: each queue keeps its order, and none gets stuck. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Random } from '../../test/attack/random.ts'
import { makeDatabase, withoutPostgres } from '../../test/support/postgres.ts'
import { meetingRecord } from '../../test/support/records.ts'
import { openStore } from './open.ts'
import type { Store } from './store.ts'

const PROJECT = 'a'.repeat(24)
const MEETINGS = 3
const END_POINTS = ['https://a.example', 'https://b.example']
const JOINS = 60
/** After this many failures a delivery succeeds. */
const TRIES = 3
/** Queues of which a dispatcher has a delivery in hand. */
const inHand = new Set<string>()
/** Called when a delivery is about to leave its queue. */
const onSettling = new Map<string, () => void>()

for (const [kind, skip] of [
  ['SQLite', false],
  ['PostgreSQL', withoutPostgres],
] as const)
  test(`queues keep their order and none gets stuck (${kind})`, { skip, timeout: 60_000 }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-outbox-'))
    const database = kind === 'PostgreSQL' ? await makeDatabase() : undefined
    const seed = Number(process.env.TEST_SEED ?? Date.now())
    t.diagnostic(`TEST_SEED=${seed}`)
    const random = new Random(seed)
    // Two of them, as nodes share PostgreSQL, and a command may write beside the server.
    const stores = [
      await openStore({ folder, url: database?.url, nodeId: 'one' }),
      await openStore({ folder, url: database?.url, nodeId: 'other' }),
    ]
    t.after(async () => {
      for (const store of stores) await store.close()
      await database?.drop()
      await rm(folder, { recursive: true, force: true })
    })
    await stores[0]!.projects.create({ projectId: PROJECT, name: 'test', webhook: null, createdAt: 1 })

    const written = new Map<string, string[]>()
    const arrived = new Map<string, string[]>()
    const producers = Array.from({ length: MEETINGS }, (_, at) => produce(stores[0]!, `m${at}`, written))
    let isProducing = true
    const all = Promise.all(producers).finally(() => (isProducing = false))
    const dispatchers = stores.map((store) => dispatch(store, random, arrived, () => isProducing))
    await all
    await Promise.all(dispatchers)
    assert.equal(written.size, MEETINGS * END_POINTS.length)
    for (const [queue, ids] of written) assert.deepEqual(arrived.get(queue), ids, queue)
    assert.equal(await waitingIn(stores[0]!), 0)
  })

/**
 * Participants join one meeting, with events for all end points, mostly at the instant at which the queue would become
 * empty.
 */
async function produce(store: Store, meetingId: string, written: Map<string, string[]>): Promise<void> {
  await store.meetings.create(meetingRecord({ id: meetingId.padEnd(24, '0'), meetingId, projectId: PROJECT }))
  const sessionId = `s-${meetingId}`
  const open = { startedAt: 1, endedAt: null, endReason: null }
  await store.sessions.start({ sessionId, meetingId, projectId: PROJECT, ...open })
  const joins: Promise<void>[] = []
  for (let at = 0; at < JOINS; at++) {
    const participantId = `p${at}`
    const deliveries = END_POINTS.map((endPoint) => {
      const queue = `${meetingId} ${endPoint}`
      const deliveryId = `${queue} ${at}`
      written.set(queue, [...(written.get(queue) ?? []), deliveryId])
      const ids = { deliveryId, projectId: PROJECT, meetingId, sessionId }
      return { ...ids, event: 'participant-joined', endPoint, body: '{}', occurredAt: at, about: null }
    })
    const stay = { sessionId, participantId, name: 'x', joinedAt: at, leftAt: null, leaveReason: null }
    joins.push(
      store.sessions.join(
        { ...stay, device: null, tokenId: null, apiKey: null },
        'SEND_AND_RECV',
        deliveries,
      ),
    )
    if (at % 10 > 3)
      await new Promise<void>((settling) => onSettling.set(`${meetingId} ${END_POINTS[0]} ${at}`, settling))
  }
  await Promise.all(joins)
}

const waitingIn = async (store: Store): Promise<number> =>
  (await store.outbox.list(PROJECT, { page: 1, perPage: 1 }, { state: 'waiting' })).total

/** Delivers due deliveries to receivers that fail; at the end nothing waits. */
async function dispatch(
  store: Store,
  random: Random,
  arrived: Map<string, string[]>,
  isProducing: () => boolean,
): Promise<void> {
  const now = 1e9
  for (;;) {
    const leased = await store.outbox.lease(now, now + 60_000, 4)
    if (leased.length === 0) {
      if ((await waitingIn(store)) === 0 && !isProducing()) return
      // SQLite answers without yielding to others.
      await new Promise((next) => setImmediate(next))
    }
    await Promise.all(
      leased.map(async ({ deliveryId, meetingId, endPoint, attempts }) => {
        const queue = `${meetingId} ${endPoint}`
        assert.ok(!inHand.has(queue), `two deliveries of ${queue} at the same time`)
        inHand.add(queue)
        if (random.chance(0.5)) await new Promise((next) => setImmediate(next))
        inHand.delete(queue)
        if (random.chance(0.1)) return store.outbox.defer([{ deliveryId, until: now }])
        const isTaken = attempts >= TRIES || random.chance(0.9)
        if (isTaken) arrived.set(queue, [...(arrived.get(queue) ?? []), deliveryId])
        if (isTaken) onSettling.get(deliveryId)?.()
        await store.outbox.settle(deliveryId, {
          state: isTaken ? 'delivered' : 'waiting',
          at: now,
          nextAt: now,
          tookMs: 1,
          status: isTaken ? 204 : 500,
          error: null,
          answer: null,
        })
      }),
    )
  }
}
