import type { Kysely } from 'kysely'
import type { SqlContext } from '../sql-context.ts'
import type { Schema } from '../schema.ts'
import type { StatsRecord, Store } from '../../store.ts'

/** Rows in one statement; SQLite accepts 32,766 parameters. */
const ROWS_AT_ONCE = 500
/** Instants in one query. */
const INSTANTS_AT_ONCE = 500

interface StatsRow {
  session_id: string
  participant_id: string
  at: number
  figures: string
}

const toStats = (row: StatsRow): StatsRecord => ({
  sessionId: row.session_id,
  participantId: row.participant_id,
  at: row.at,
  figures: JSON.parse(row.figures) as (number | null)[],
})

export function figureQueries({ db, write, nodeId }: SqlContext): Store['figures'] {
  return {
    addStats: async (records) => {
      if (records.length === 0) return
      await write({ lane: 'figures' }, async (tx) => {
        for (let from = 0; from < records.length; from += ROWS_AT_ONCE) {
          const rows = records.slice(from, from + ROWS_AT_ONCE).map((record) => ({
            session_id: record.sessionId,
            participant_id: record.participantId,
            at: record.at,
            figures: JSON.stringify(record.figures),
          }))
          await tx
            .insertInto('participant_stats')
            .values(rows)
            .onConflict((conflict) => conflict.doNothing())
            .execute()
        }
      })
    },
    stats: async ({ sessionId, participantId, from, to, limit }) => {
      let wanted = db.selectFrom('participant_stats').selectAll().where('session_id', '=', sessionId)
      if (participantId !== undefined) wanted = wanted.where('participant_id', '=', participantId)
      if (from !== undefined) wanted = wanted.where('at', '>=', from)
      if (to !== undefined) wanted = wanted.where('at', '<=', to)
      return (await wanted.orderBy('at').limit(limit).execute()).map(toStats)
    },
    statsAt: async (sessionId, instants) => {
      const records: StatsRecord[] = []
      for (let from = 0; from < instants.length; from += INSTANTS_AT_ONCE) {
        const rows = await db
          .selectFrom('participant_stats')
          .selectAll()
          .where('session_id', '=', sessionId)
          .where('at', 'in', instants.slice(from, from + INSTANTS_AT_ONCE))
          .orderBy('at')
          .execute()
        records.push(...rows.map(toStats))
      }
      return records
    },
    addSample: async ({ at, figures }) => {
      const row = { at, figures: JSON.stringify(figures) }
      if (nodeId !== null) {
        await write({ lane: 'figures' }, (tx) =>
          tx
            .insertInto('node_samples')
            .values({ node_id: nodeId, ...row })
            .onConflict((conflict) =>
              conflict.columns(['node_id', 'at']).doUpdateSet({ figures: row.figures }),
            )
            .execute(),
        )
        return
      }
      await write({ lane: 'figures' }, (tx) =>
        tx
          .insertInto('server_samples')
          .values(row)
          .onConflict((conflict) => conflict.column('at').doUpdateSet({ figures: row.figures }))
          .execute(),
      )
    },
    samples: async (from, to) => {
      const within = (table: 'server_samples' | 'node_samples') =>
        (db as Kysely<Pick<Schema, 'server_samples'>>)
          .selectFrom(table as 'server_samples')
          .selectAll()
          .where('at', '>=', from)
          .where('at', '<=', to)
          .orderBy('at')
          .execute() as Promise<{ at: number; figures: string; node_id?: string }[]>
      const rows = await within(nodeId === null ? 'server_samples' : 'node_samples')
      return rows.map(({ at, figures, node_id }) => ({
        at,
        figures: JSON.parse(figures) as Record<string, number>,
        ...(node_id !== undefined && { nodeId: node_id }),
      }))
    },
    dropBefore: (at, limit) =>
      write({ lane: 'figures' }, async (tx) => {
        const stats = await tx
          .selectFrom('participant_stats')
          .select(['session_id', 'participant_id', 'at'])
          .where('at', '<', at)
          .orderBy('at')
          .limit(limit)
          .execute()
        for (const key of stats) {
          await tx
            .deleteFrom('participant_stats')
            .where('session_id', '=', key.session_id)
            .where('participant_id', '=', key.participant_id)
            .where('at', '=', key.at)
            .execute()
        }
        const ofNodes = await tx
          .deleteFrom('node_samples')
          .where(
            'at',
            'in',
            tx.selectFrom('node_samples').select('at').where('at', '<', at).orderBy('at').limit(limit),
          )
          .executeTakeFirst()
        const samples = await tx
          .deleteFrom('server_samples')
          .where(
            'at',
            'in',
            tx.selectFrom('server_samples').select('at').where('at', '<', at).orderBy('at').limit(limit),
          )
          .executeTakeFirst()
        return stats.length + Number(samples.numDeletedRows) + Number(ofNodes.numDeletedRows)
      }),
  }
}
