import { sql, type Kysely, type Selectable } from 'kysely'
import { reach, Totals } from '../pages.ts'
import type { SqlContext, Turn } from '../sql-context.ts'
import { together } from '../together.ts'
import type { Schema } from '../schema.ts'
import type { NewDelivery, SessionRecord, StayRecord, Store } from '../../store.ts'
import { decisionQueries } from './decisions.ts'
import { lineName, insertDeliveries, type OutboxSignal } from './outbox.ts'

export function sessionQueries(
  context: SqlContext,
  signal: OutboxSignal,
  /** The meeting of each session: the writes of one meeting are ordered, whichever of its sessions they concern. */
  meetings: Map<string, string>,
): Omit<Store['sessions'], 'addPast'> {
  const totals = new Totals()
  const { db, write, settled, dialect } = context
  const { rowKey } = dialect
  const rowOrder = sql.ref(dialect.rowOrder)
  const laneOf = (sessionId: string): Turn => {
    const meetingId = meetings.get(sessionId)
    return { lane: meetingId ?? sessionId, fence: meetingId }
  }

  /** Writes a fact and, if it changed anything, the deliveries that report it. */
  const record = async (
    { lane, holds = [], fence }: Turn,
    deliveries: readonly NewDelivery[] = [],
    work: (tx: Kysely<Schema>) => Promise<boolean>,
  ): Promise<void> => {
    const lines = deliveries.map(({ meetingId, endPoint }) => lineName(meetingId, endPoint))
    await write({ lane, holds: [...holds, ...lines], fence }, async (tx) => {
      if (await work(tx)) await insertDeliveries(tx, deliveries)
    })
    if (deliveries.length > 0) signal.notify()
  }

  return {
    start: (session, deliveries) => {
      const { sessionId, meetingId, projectId } = session
      meetings.set(sessionId, meetingId)
      return record(
        { lane: meetingId, holds: [countOf(projectId)], fence: meetingId },
        deliveries,
        async (tx) => {
          const row = {
            session_id: session.sessionId,
            meeting_id: session.meetingId,
            project_id: session.projectId,
            started_at: session.startedAt,
            ended_at: session.endedAt,
            end_reason: session.endReason,
          }
          await together([tx.insertInto('sessions').values(row).execute(), countSessions(tx, projectId, 1)])
          return true
        },
      )
    },
    end: async (sessionId, at, reason, deliveries) => {
      await record(laneOf(sessionId), deliveries, async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('sessions')
          .set({ ended_at: at, end_reason: reason })
          .where('session_id', '=', sessionId)
          .where('ended_at', 'is', null)
          .executeTakeFirst()
        if (numUpdatedRows === 0n) return false
        await together([
          tx
            .updateTable('stays')
            .set({ left_at: at, leave_reason: reason })
            .where('session_id', '=', sessionId)
            .where('left_at', 'is', null)
            .execute(),
          tx
            .updateTable('intervals')
            .set({ ended_at: at })
            .where('session_id', '=', sessionId)
            .where('ended_at', 'is', null)
            .execute(),
        ])
        return true
      })
      meetings.delete(sessionId)
    },
    get: async (sessionId) => {
      await settled()
      const row = await db
        .selectFrom('sessions')
        .selectAll()
        .where('session_id', '=', sessionId)
        .executeTakeFirst()
      return row && toSession(row)
    },
    ongoing: async (meetingId) => {
      const row = await db
        .selectFrom('sessions')
        .selectAll()
        .where('meeting_id', '=', meetingId)
        .where('ended_at', 'is', null)
        .orderBy('started_at', 'desc')
        .executeTakeFirst()
      if (row) meetings.set(row.session_id, row.meeting_id)
      return row && toSession(row)
    },
    listOngoing: async () => {
      const rows = await db.selectFrom('sessions').selectAll().where('ended_at', 'is', null).execute()
      for (const { session_id, meeting_id } of rows) meetings.set(session_id, meeting_id)
      return rows.map(toSession)
    },
    list: async (projectId, paging, filter = {}) => {
      await settled()
      const { meetingId, ongoing, startedFrom, startedTo } = filter
      const all = db.selectFrom('sessions')
      // A meeting belongs to one project. Naming both could make the planner choose the wrong index.
      let matching =
        meetingId === undefined
          ? all.where('project_id', '=', projectId)
          : all.where('meeting_id', '=', meetingId)
      if (ongoing !== undefined) matching = matching.where('ended_at', ongoing ? 'is' : 'is not', null)
      if (startedFrom !== undefined) matching = matching.where('started_at', '>=', startedFrom)
      if (startedTo !== undefined) matching = matching.where('started_at', '<=', startedTo)

      const whole = Object.values(filter).every((value) => value === undefined)
      const total = whole
        ? ((
            await db
              .selectFrom('session_counts')
              .select('total')
              .where('project_id', '=', projectId)
              .executeTakeFirst()
          )?.total ?? 0)
        : await totals.of([projectId, filter], async () => {
            const counted = await matching
              .select((select) => select.fn.countAll<number>().as('total'))
              .executeTakeFirstOrThrow()
            return counted.total
          })

      const way = reach(paging, total)
      if (!way) return { items: [], total }
      const rows = await matching
        .selectAll()
        .orderBy('started_at', way.direction)
        .orderBy('session_id', way.direction)
        .limit(way.limit)
        .offset(way.offset)
        .execute()
      return { items: way.inOrder(rows).map(toSession), total }
    },
    join: (stay, mode, deliveries) =>
      record(laneOf(stay.sessionId), deliveries, async (tx) => {
        const ofStay = { session_id: stay.sessionId, participant_id: stay.participantId }
        const row = {
          ...ofStay,
          name: stay.name,
          joined_at: stay.joinedAt,
          left_at: stay.leftAt,
          leave_reason: stay.leaveReason,
          device: stay.device && JSON.stringify(stay.device),
          token_id: stay.tokenId,
          api_key: stay.apiKey,
          counted_at: null,
        }
        const interval = {
          ...ofStay,
          kind: 'mode' as const,
          value: mode,
          started_at: stay.joinedAt,
          ended_at: null,
        }
        await together([
          tx.insertInto('stays').values(row).execute(),
          tx.insertInto('intervals').values(interval).execute(),
        ])
        return true
      }),
    leave: (sessionId, participantId, at, reason, deliveries) =>
      record(laneOf(sessionId), deliveries, async (tx) => {
        const [{ numUpdatedRows }] = await together([
          tx
            .updateTable('stays')
            .set({ left_at: at, leave_reason: reason })
            .where('session_id', '=', sessionId)
            .where('participant_id', '=', participantId)
            .where('left_at', 'is', null)
            .executeTakeFirst(),
          tx
            .updateTable('intervals')
            .set({ ended_at: at })
            .where('session_id', '=', sessionId)
            .where('participant_id', '=', participantId)
            .where('ended_at', 'is', null)
            .execute(),
        ])
        return numUpdatedRows > 0n
      }),
    stays: async (sessionId, participantId) => {
      await settled()
      const ofSession = db.selectFrom('stays').selectAll().where('session_id', '=', sessionId)
      const wanted =
        participantId === undefined ? ofSession : ofSession.where('participant_id', '=', participantId)
      return (await wanted.orderBy('joined_at').orderBy(rowOrder).execute()).map(toStay)
    },
    staysOf: async (sessionIds) => {
      if (sessionIds.length === 0) return []
      await settled()
      const rows = await db
        .selectFrom('stays')
        .selectAll()
        .where('session_id', 'in', sessionIds)
        .orderBy('joined_at')
        .orderBy(rowOrder)
        .execute()
      return rows.map(toStay)
    },
    openInterval: async (interval) => {
      await write(laneOf(interval.sessionId), (tx) =>
        tx
          .insertInto('intervals')
          .values({
            session_id: interval.sessionId,
            participant_id: interval.participantId,
            kind: interval.kind,
            value: interval.value,
            started_at: interval.startedAt,
            ended_at: interval.endedAt,
          })
          .execute(),
      )
    },
    closeInterval: async (sessionId, participantId, kind, at) => {
      await write(laneOf(sessionId), (tx) =>
        tx
          .updateTable('intervals')
          .set({ ended_at: at })
          .where('session_id', '=', sessionId)
          .where('participant_id', '=', participantId)
          .where('kind', '=', kind)
          .where('ended_at', 'is', null)
          .execute(),
      )
    },
    intervals: async (sessionId, participantIds) => {
      if (participantIds.length === 0) return []
      await settled()
      const rows = await db
        .selectFrom('intervals')
        .selectAll()
        .where('session_id', '=', sessionId)
        .where('participant_id', 'in', participantIds)
        .orderBy('started_at')
        .orderBy(rowOrder)
        .execute()
      return rows.map((row) => ({
        sessionId: row.session_id,
        participantId: row.participant_id,
        kind: row.kind,
        value: row.value,
        startedAt: row.started_at,
        endedAt: row.ended_at,
      }))
    },
    dropEndedBefore: (at, limit) =>
      write({ lane: 'sweep' }, async (tx) => {
        const old = await tx
          .selectFrom('sessions')
          .select(['session_id', 'project_id'])
          .where('ended_at', 'is not', null)
          .where('ended_at', '<', at)
          .orderBy('ended_at')
          .limit(limit)
          .execute()
        const ids = old.map(({ session_id }) => session_id)
        if (ids.length === 0) return 0
        let gone = 0
        for (const table of partsOfSessions) {
          gone += await dropSome(tx, rowKey, table, ids, limit - gone)
          // The next call deletes the rest.
          if (gone >= limit) return gone
        }
        await tx.deleteFrom('sessions').where('session_id', 'in', ids).execute()
        const byProject = new Map<string, number>()
        for (const { project_id } of old) byProject.set(project_id, (byProject.get(project_id) ?? 0) + 1)
        for (const [projectId, fewer] of byProject) await countSessions(tx, projectId, -fewer)
        return gone + ids.length
      }),
    ...decisionQueries(context, laneOf),
  }
}

/** The tables that hold rows of a session. */
const partsOfSessions = [
  'stays',
  'intervals',
  'admissions',
  'removals',
  'chat_hearers',
  'chat_messages',
  'participant_stats',
  'poll_votes',
  'polls',
] as const

/** Deletes at most `limit` rows of these sessions. Returns how many. */
async function dropSome(
  tx: Kysely<Schema>,
  rowKey: string,
  table: (typeof partsOfSessions)[number],
  sessionIds: readonly string[],
  limit: number,
): Promise<number> {
  const row = sql.ref(rowKey)
  const { numDeletedRows } = await tx
    .deleteFrom(table)
    .where(
      row,
      'in',
      tx.selectFrom(table).select(row.as('row')).where('session_id', 'in', sessionIds).limit(limit),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** The name of the lock that a transaction takes to change the count. */
export const countOf = (projectId: string): string => `sessions:${projectId}`

export async function countSessions(tx: Kysely<Schema>, projectId: string, more: number): Promise<void> {
  await tx
    .insertInto('session_counts')
    .values({ project_id: projectId, total: more })
    .onConflict((conflict) =>
      conflict.column('project_id').doUpdateSet((set) => ({
        total: set('session_counts.total', '+', more),
      })),
    )
    .execute()
}

function toSession(row: Selectable<Schema['sessions']>): SessionRecord {
  return {
    sessionId: row.session_id,
    meetingId: row.meeting_id,
    projectId: row.project_id,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    endReason: row.end_reason,
  }
}

function toStay(row: Selectable<Schema['stays']>): StayRecord {
  return {
    sessionId: row.session_id,
    participantId: row.participant_id,
    name: row.name,
    joinedAt: row.joined_at,
    leftAt: row.left_at,
    leaveReason: row.leave_reason,
    tokenId: row.token_id,
    apiKey: row.api_key,
    device: row.device === null ? null : (JSON.parse(row.device) as Record<string, unknown>),
  }
}
