import type { SqlContext, Turn } from '../sql-context.ts'
import type { Store } from '../../store.ts'

export function sessionValueQueries(
  { db, write }: SqlContext,
  /** The meeting of each session that goes on here. */
  meetings: ReadonlyMap<string, string>,
): NonNullable<Store['sessionValues']> {
  const laneOf = (sessionId: string): Turn => ({
    lane: `values:${sessionId}`,
    fence: meetings.get(sessionId),
  })
  return {
    put: async (sessionId, values) => {
      await write(laneOf(sessionId), async (tx) => {
        for (const { key, value, tokenId, participantId = null } of values) {
          if (value === null) {
            await tx
              .deleteFrom('session_values')
              .where('session_id', '=', sessionId)
              .where('key', '=', key)
              .execute()
            continue
          }
          const row = { value, token_id: tokenId, participant_id: participantId }
          await tx
            .insertInto('session_values')
            .values({ session_id: sessionId, key, ...row })
            .onConflict((conflict) => conflict.columns(['session_id', 'key']).doUpdateSet(row))
            .execute()
        }
      })
    },
    list: async (sessionId) => {
      const rows = await db
        .selectFrom('session_values')
        .selectAll()
        .where('session_id', '=', sessionId)
        .orderBy('key')
        .execute()
      return rows.map(({ key, value, token_id: tokenId, participant_id }) => ({
        key,
        value,
        tokenId,
        ...(participant_id !== null && { participantId: participant_id }),
      }))
    },
    drop: async (sessionId) => {
      await write(laneOf(sessionId), (tx) =>
        tx.deleteFrom('session_values').where('session_id', '=', sessionId).execute(),
      )
    },
  }
}
