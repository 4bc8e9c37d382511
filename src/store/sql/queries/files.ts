/** Files of sessions in the database, so that each of several nodes can serve them, and the death of one loses none. */
import { sql } from 'kysely'
import type { SqlContext } from '../sql-context.ts'
import type { Store } from '../../store.ts'

export function fileQueries({ db, write }: SqlContext): Store['files'] {
  return {
    put: async (sessionId, fileId, bytes) => {
      await write({ lane: `file:${fileId}` }, (tx) =>
        tx
          .insertInto('session_files')
          .values({ session_id: sessionId, file_id: fileId, content: Buffer.from(bytes) })
          .execute(),
      )
    },
    get: async (sessionId, fileId) => {
      const row = await db
        .selectFrom('session_files')
        .select('content')
        .where('session_id', '=', sessionId)
        .where('file_id', '=', fileId)
        .executeTakeFirst()
      return row?.content
    },
    list: async (sessionId) =>
      db
        .selectFrom('session_files')
        .select(['file_id as fileId', sql<number>`octet_length(content)`.as('bytes')])
        .where('session_id', '=', sessionId)
        .orderBy('file_id')
        .execute(),
    drop: async (sessionId) => {
      await write({ lane: `file:${sessionId}` }, (tx) =>
        tx.deleteFrom('session_files').where('session_id', '=', sessionId).execute(),
      )
    },
    keepOnly: async () => {
      // Other nodes may have started sessions that the caller does not know of.
      await write({ lane: 'files' }, async (tx) => {
        const ongoing = tx.selectFrom('sessions').select('session_id').where('ended_at', 'is', null)
        await tx.deleteFrom('session_files').where('session_id', 'not in', ongoing).execute()
        await tx.deleteFrom('session_values').where('session_id', 'not in', ongoing).execute()
      })
    },
  }
}
