import { sql, type Kysely, type Selectable } from 'kysely'
import { reach, Totals } from '../pages.ts'
import type { SqlContext } from '../sql-context.ts'
import type { Schema } from '../schema.ts'
import type { DeliveryRecord, DeliveryTry, NewDelivery, Store } from '../../store.ts'

/** Writes deliveries in the transaction of the fact that they report. */
export async function insertDeliveries(
  tx: Kysely<Schema>,
  deliveries: readonly NewDelivery[] = [],
): Promise<void> {
  for (const delivery of deliveries) {
    await tx
      .insertInto('deliveries')
      .values({
        delivery_id: delivery.deliveryId,
        project_id: delivery.projectId,
        meeting_id: delivery.meetingId,
        session_id: delivery.sessionId,
        event: delivery.event,
        end_point: delivery.endPoint,
        body: delivery.body,
        occurred_at: delivery.occurredAt,
        state: 'waiting',
        attempts: 0,
        next_at: ifFirst(tx, delivery.meetingId, delivery.endPoint, delivery.occurredAt),
        leased_until: null,
        last_status: null,
        last_error: null,
        settled_at: null,
        about: delivery.about,
      })
      .execute()
  }
}

/** The name of the lock that a transaction takes to change a queue of deliveries. */
export function lineName(meetingId: string, endPoint: string): string {
  return `line:${meetingId}:${endPoint}`
}

/** Selects the oldest waiting delivery of a queue. */
function firstOfLine(tx: Kysely<Schema>, meetingId: string, endPoint: string) {
  return (
    tx
      .selectFrom('deliveries')
      .select(({ fn }) => fn.min('number').as('number'))
      .where('meeting_id', '=', meetingId)
      .where('end_point', '=', endPoint)
      // A literal lets the planner see that the partial index of waiting deliveries covers the query.
      .where('state', '=', sql.lit('waiting' as const))
  )
}

/** Returns the instant if the delivery would be the first of its queue; null if others are before it. */
function ifFirst(tx: Kysely<Schema>, meetingId: string, endPoint: string, at: number) {
  return sql<
    number | null
  >`case when ${firstOfLine(tx, meetingId, endPoint)} is null then cast(${at} as bigint) end`
}

/** Wakes the listeners when there is something to deliver. */
export class OutboxSignal {
  readonly #listeners: (() => void)[] = []

  add(listener: () => void): void {
    this.#listeners.push(listener)
  }

  notify(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** How old the counts of the backlog may be where several nodes ask for them. */
const BACKLOG_MS = 10_000

export function outboxQueries(
  { db, write, dialect, nodeId }: SqlContext,
  signal: OutboxSignal,
): Store['outbox'] {
  const totals = new Totals()
  let counted: { at: number; backlog: ReturnType<Store['outbox']['backlog']> } | undefined
  const count = async (): ReturnType<Store['outbox']['backlog']> => {
    const inState = async (state: DeliveryRecord['state']): Promise<number> => {
      const { total } = await db
        .selectFrom('deliveries')
        .select((select) => select.fn.countAll<number>().as('total'))
        .where('state', '=', state)
        .executeTakeFirstOrThrow()
      return total
    }
    const oldest = await db
      .selectFrom('deliveries')
      .select('occurred_at')
      .where('state', '=', 'waiting')
      .orderBy('number')
      .executeTakeFirst()
    return {
      waiting: await inState('waiting'),
      parked: await inState('parked'),
      oldestAt: oldest?.occurred_at ?? null,
    }
  }
  return {
    onWritten: (listener) => signal.add(listener),
    lease: async (now, leasedUntil, limit) => {
      // The servers' clocks differ: one that is ahead would take back what another has just leased.
      const [at, until] =
        dialect.now === undefined
          ? [now, leasedUntil]
          : [dialect.now, sql<number>`${dialect.now} + ${leasedUntil - now}::bigint`]
      const due = (from: Kysely<Schema>) =>
        from
          .selectFrom('deliveries')
          .where('next_at', 'is not', null)
          .where('next_at', '<=', now)
          .where((where) => where.or([where('leased_until', 'is', null), where('leased_until', '<=', at)]))
      // Usually nothing is due. Find that out by reading, without queueing for a write.
      if (!(await due(db).select('number').executeTakeFirst())) return []
      return write({ lane: 'outbox' }, async (tx) => {
        const ripe = due(tx).selectAll().orderBy('next_at').orderBy('number').limit(limit)
        const rows = await dialect.forUpdateOfFree(ripe).execute()
        const numbers = rows.map(({ number }) => number)
        if (numbers.length > 0) {
          await tx
            .updateTable('deliveries')
            .set({ leased_until: until })
            .where('number', 'in', numbers)
            .execute()
        }
        return rows.map(toDelivery)
      })
    },
    settle: async (deliveryId, { state, at, nextAt, status, error, answer, tookMs }) => {
      const line = await db
        .selectFrom('deliveries')
        .select(['meeting_id', 'end_point'])
        .where('delivery_id', '=', deliveryId)
        .executeTakeFirst()
      if (!line) return
      await write({ lane: 'outbox', holds: [lineName(line.meeting_id, line.end_point)] }, async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('deliveries')
          .set((set) => ({
            state,
            attempts: set('attempts', '+', 1),
            next_at: state === 'waiting' ? (nextAt ?? at) : null,
            leased_until: null,
            last_status: status,
            last_error: error,
            settled_at: state === 'waiting' ? null : at,
          }))
          .where('delivery_id', '=', deliveryId)
          .where('state', '=', 'waiting')
          .executeTakeFirst()
        if (numUpdatedRows === 0n) return
        await addTry(tx, deliveryId, { at, tookMs, status, error, answer })
        if (state === 'waiting') return
        const next = firstOfLine(tx, line.meeting_id, line.end_point)
        await tx.updateTable('deliveries').set({ next_at: at }).where('number', '=', next).execute()
      })
    },
    reporting: async (ids) => {
      if (ids.length === 0) return []
      return db
        .selectFrom('deliveries')
        .select(['about', 'event', 'state'])
        .where('about', 'in', ids)
        .orderBy('number')
        .$narrowType<{ about: string }>()
        .execute()
    },
    get: async (projectId, deliveryId) => {
      const row = await db
        .selectFrom('deliveries')
        .selectAll()
        .where('delivery_id', '=', deliveryId)
        .where('project_id', '=', projectId)
        .executeTakeFirst()
      return row && toDelivery(row)
    },
    tries: async (deliveryId) => {
      const rows = await db
        .selectFrom('delivery_tries')
        .select(['at', 'took_ms', 'status', 'error', 'answer'])
        .where('delivery_id', '=', deliveryId)
        .orderBy('number')
        .execute()
      return rows.map(({ took_ms: tookMs, ...rest }) => ({ ...rest, tookMs }))
    },
    list: async (projectId, paging, filter = {}) => {
      const { state, meetingId, event } = filter
      let matching = db.selectFrom('deliveries').where('project_id', '=', projectId)
      if (state !== undefined) matching = matching.where('state', '=', state)
      if (meetingId !== undefined) matching = matching.where('meeting_id', '=', meetingId)
      if (event !== undefined) matching = matching.where('event', '=', event)
      const total = await totals.of([projectId, filter], async () => {
        const counted = await matching
          .select((select) => select.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow()
        return counted.total
      })
      const way = reach(paging, total)
      if (!way) return { items: [], total }
      const rows = await matching
        .selectAll()
        .orderBy('number', way.direction)
        .limit(way.limit)
        .offset(way.offset)
        .execute()
      return { items: way.inOrder(rows).map(toDelivery), total }
    },
    repairAfterClockSkew: async (now, dueBy, leasedBy) => {
      // A node whose clock is behind must not hurry what others have put off.
      if (nodeId !== null) return
      await write({ lane: 'outbox' }, async (tx) => {
        await tx.updateTable('deliveries').set({ next_at: now }).where('next_at', '>', dueBy).execute()
        // Leases are by the clock of the database.
        if (dialect.now !== undefined) return
        await tx
          .updateTable('deliveries')
          .set({ leased_until: null })
          .where('next_at', 'is not', null)
          .where('leased_until', '>', leasedBy)
          .execute()
      })
    },
    defer: async (deliveries) => {
      if (deliveries.length === 0) return
      await write({ lane: 'outbox' }, async (tx) => {
        for (const { deliveryId, until } of deliveries) {
          await tx
            .updateTable('deliveries')
            .set({ next_at: until, leased_until: null })
            .where('delivery_id', '=', deliveryId)
            .where('next_at', 'is not', null)
            .execute()
        }
      })
    },
    replay: async (projectId, deliveryId, at) => {
      const settled = (from: Kysely<Schema>) =>
        from
          .selectFrom('deliveries')
          .selectAll()
          .where('delivery_id', '=', deliveryId)
          .where('project_id', '=', projectId)
          .where('state', '!=', 'waiting')
      const found = await settled(db).executeTakeFirst()
      if (!found) return false
      const replayed = await write({ lane: 'outbox', holds: linesOf([found]) }, async (tx) => {
        const row = await settled(tx).executeTakeFirst()
        if (row) await replayIn(tx, row, at)
        return row !== undefined
      })
      if (replayed) signal.notify()
      return replayed
    },
    replayParked: async (projectId, at, limit) => {
      const parked = (from: Kysely<Schema>) =>
        from.selectFrom('deliveries').where('project_id', '=', projectId).where('state', '=', 'parked')
      const found = await parked(db)
        .select(['number', 'meeting_id', 'end_point'])
        .where('settled_at', '<=', at)
        .orderBy('number')
        .limit(limit)
        .execute()
      if (found.length === 0) return 0
      const replayed = await write({ lane: 'outbox', holds: linesOf(found) }, async (tx) => {
        const rows = await parked(tx)
          .selectAll()
          .where(
            'number',
            'in',
            found.map(({ number }) => number),
          )
          .orderBy('number')
          .execute()
        for (const row of rows) await replayIn(tx, row, at)
        return rows.length
      })
      if (replayed > 0) signal.notify()
      return replayed
    },
    backlog: () => {
      if (nodeId === null) return count()
      // Every node is asked for it, and each would count all rows.
      const at = performance.now()
      if (counted === undefined || at - counted.at > BACKLOG_MS) {
        counted = { at, backlog: count() }
        counted.backlog.catch(() => (counted = undefined))
      }
      return counted.backlog
    },
    dropSettledBefore: async (at, limit) => {
      return write({ lane: 'outbox' }, async (tx) => {
        const rows = await tx
          .selectFrom('deliveries')
          .select(['number', 'delivery_id'])
          .where('settled_at', 'is not', null)
          .where('settled_at', '<', at)
          .orderBy('settled_at')
          .limit(limit)
          .execute()
        if (rows.length === 0) return 0
        const [numbers, ids] = [rows.map((row) => row.number), rows.map((row) => row.delivery_id)]
        await tx.deleteFrom('delivery_tries').where('delivery_id', 'in', ids).execute()
        await tx.deleteFrom('deliveries').where('number', 'in', numbers).execute()
        return rows.length
      })
    },
  }
}

const linesOf = (rows: readonly { meeting_id: string; end_point: string }[]): string[] =>
  rows.map(({ meeting_id, end_point }) => lineName(meeting_id, end_point))

/** Per delivery, because it may be replayed any number of times. */
const MAX_TRIES_KEPT = 100

async function addTry(
  tx: Kysely<Schema>,
  deliveryId: string,
  { at, tookMs, status, error, answer }: DeliveryTry,
): Promise<void> {
  await tx
    .insertInto('delivery_tries')
    .values({ delivery_id: deliveryId, at, took_ms: tookMs, status, error, answer })
    .execute()
  const ofDelivery = tx.selectFrom('delivery_tries').where('delivery_id', '=', deliveryId)
  await tx
    .deleteFrom('delivery_tries')
    .where('delivery_id', '=', deliveryId)
    .where(
      'number',
      '<=',
      ofDelivery.select('number').orderBy('number', 'desc').limit(1).offset(MAX_TRIES_KEPT),
    )
    .execute()
}

async function replayIn(
  tx: Kysely<Schema>,
  { number, ...kept }: Selectable<Schema['deliveries']>,
  at: number,
): Promise<void> {
  await tx.deleteFrom('deliveries').where('number', '=', number).execute()
  await tx
    .insertInto('deliveries')
    .values({
      ...kept,
      state: 'waiting',
      attempts: 0,
      next_at: ifFirst(tx, kept.meeting_id, kept.end_point, at),
      leased_until: null,
      settled_at: null,
    })
    .execute()
}

function toDelivery(row: Selectable<Schema['deliveries']>): DeliveryRecord {
  return {
    deliveryId: row.delivery_id,
    projectId: row.project_id,
    meetingId: row.meeting_id,
    sessionId: row.session_id,
    event: row.event,
    endPoint: row.end_point,
    body: row.body,
    occurredAt: row.occurred_at,
    state: row.state,
    attempts: row.attempts,
    nextAt: row.next_at,
    lastStatus: row.last_status,
    lastError: row.last_error,
    settledAt: row.settled_at,
    about: row.about,
  }
}
