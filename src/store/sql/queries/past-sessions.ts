import type { SqlContext } from '../sql-context.ts'
import type { Store } from '../../store.ts'
import { countOf, countSessions } from './sessions.ts'

/** SQLite takes 32,766 values in one statement; a row has at most eight. */
const ROWS_AT_ONCE = 1000

/** Sessions that ended elsewhere. */
export function pastSessionQueries({ write }: SqlContext): Pick<Store['sessions'], 'addPast'> {
  return {
    addPast: (session, stays, intervals) =>
      write({ lane: session.meetingId, holds: [countOf(session.projectId)] }, async (tx) => {
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto('sessions')
          .values({
            session_id: session.sessionId,
            meeting_id: session.meetingId,
            project_id: session.projectId,
            started_at: session.startedAt,
            ended_at: session.endedAt,
            end_reason: session.endReason,
          })
          .onConflict((conflict) => conflict.column('session_id').doNothing())
          .executeTakeFirst()
        if (numInsertedOrUpdatedRows !== 1n) return false
        for (const some of chunksOf(stays)) {
          await tx
            .insertInto('stays')
            .values(
              some.map((stay) => ({
                session_id: stay.sessionId,
                participant_id: stay.participantId,
                name: stay.name,
                joined_at: stay.joinedAt,
                left_at: stay.leftAt,
                leave_reason: stay.leaveReason,
                device: stay.device && JSON.stringify(stay.device),
                token_id: stay.tokenId,
                api_key: stay.apiKey,
                counted_at: stay.joinedAt,
              })),
            )
            .execute()
        }
        for (const some of chunksOf(intervals)) {
          await tx
            .insertInto('intervals')
            .values(
              some.map((interval) => ({
                session_id: interval.sessionId,
                participant_id: interval.participantId,
                kind: interval.kind,
                value: interval.value,
                started_at: interval.startedAt,
                ended_at: interval.endedAt,
              })),
            )
            .execute()
        }
        await countSessions(tx, session.projectId, 1)
        return true
      }),
  }
}

function* chunksOf<One>(list: readonly One[]): Generator<readonly One[]> {
  for (let at = 0; at < list.length; at += ROWS_AT_ONCE) yield list.slice(at, at + ROWS_AT_ONCE)
}
