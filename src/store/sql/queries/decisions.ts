import { sql } from 'kysely'
import type { SqlContext, Turn } from '../sql-context.ts'
import type { Store } from '../../store.ts'

type Decisions =
  | 'admit'
  | 'takeBackAdmission'
  | 'admissions'
  | 'remove'
  | 'liftRemoval'
  | 'removals'
  | 'decide'
  | 'decisions'

/** Admissions to a session, removals from it, and its rules. */
export function decisionQueries(
  { db, write, dialect }: SqlContext,
  laneOf: (sessionId: string) => Turn,
): Pick<Store['sessions'], Decisions> {
  const rowOrder = sql.ref(dialect.rowOrder)
  return {
    admit: async ({ sessionId, participantId, tokenId, at }) => {
      await write(laneOf(sessionId), (tx) =>
        tx
          .insertInto('admissions')
          .values({ session_id: sessionId, participant_id: participantId, token_id: tokenId, at })
          .onConflict((conflict) => conflict.doNothing())
          .execute(),
      )
    },
    takeBackAdmission: async (sessionId, participantId, tokenId) => {
      await write(laneOf(sessionId), (tx) =>
        tx
          .deleteFrom('admissions')
          .where('session_id', '=', sessionId)
          .where('participant_id', '=', participantId)
          .where('token_id', '=', tokenId)
          .execute(),
      )
    },
    admissions: async (sessionId) => {
      const rows = await db
        .selectFrom('admissions')
        .selectAll()
        .where('session_id', '=', sessionId)
        .orderBy('at')
        .orderBy(rowOrder)
        .execute()
      return rows.map(({ participant_id: participantId, token_id: tokenId, at }) => ({
        sessionId,
        participantId,
        tokenId,
        at,
      }))
    },
    remove: async (removal) => {
      const { sessionId, participantId } = removal
      await write(laneOf(sessionId), async (tx) => {
        await tx
          .deleteFrom('admissions')
          .where('session_id', '=', sessionId)
          .where('participant_id', '=', participantId)
          .execute()
        const values = {
          name: removal.name,
          at: removal.at,
          removed_by: removal.by,
          removed_by_name: removal.byName,
          by_moderator: removal.byModerator ? (1 as const) : (0 as const),
          token_shared: removal.tokenShared ? (1 as const) : (0 as const),
        }
        await tx
          .insertInto('removals')
          .values({
            session_id: sessionId,
            participant_id: participantId,
            token_id: removal.tokenId,
            ...values,
          })
          .onConflict((conflict) =>
            conflict.columns(['session_id', 'participant_id', 'token_id']).doUpdateSet(values),
          )
          .execute()
      })
    },
    liftRemoval: async (sessionId, participantId) => {
      const { numDeletedRows } = await write(laneOf(sessionId), (tx) =>
        tx
          .deleteFrom('removals')
          .where('session_id', '=', sessionId)
          .where('participant_id', '=', participantId)
          .executeTakeFirst(),
      )
      return numDeletedRows > 0n
    },
    decide: async (sessionId, decisions) => {
      await write(laneOf(sessionId), (tx) =>
        tx.updateTable('sessions').set({ decisions }).where('session_id', '=', sessionId).execute(),
      )
    },
    decisions: async (sessionId) => {
      const row = await db
        .selectFrom('sessions')
        .select('decisions')
        .where('session_id', '=', sessionId)
        .executeTakeFirst()
      return row?.decisions ?? null
    },
    removals: async (sessionId) => {
      const rows = await db
        .selectFrom('removals')
        .selectAll()
        .where('session_id', '=', sessionId)
        .orderBy('at')
        .orderBy(rowOrder)
        .execute()
      return rows.map((row) => ({
        sessionId,
        participantId: row.participant_id,
        tokenId: row.token_id,
        name: row.name,
        at: row.at,
        by: row.removed_by,
        byName: row.removed_by_name,
        byModerator: row.by_moderator === 1,
        tokenShared: row.token_shared === 1,
      }))
    },
  }
}
