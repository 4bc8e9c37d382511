import type { Selectable } from 'kysely'
import type { SqlContext } from '../sql-context.ts'
import type { Schema } from '../schema.ts'
import type { StandingAdmission, Store } from '../../store.ts'

export function standingQueries({ db, write }: SqlContext): Store['standing'] {
  return {
    admit: (admission, most) => {
      const { meetingId, participantId, tokenId, name, at, by, bound } = admission
      return write({ lane: 'standing', holds: [`standing:${meetingId}`] }, async (tx) => {
        const { others } = await tx
          .selectFrom('standing_admissions')
          .select((select) => select.fn.countAll<number>().as('others'))
          .where('meeting_id', '=', meetingId)
          .where((where) =>
            where.or([where('participant_id', '<>', participantId), where('token_id', '<>', tokenId)]),
          )
          .executeTakeFirstOrThrow()
        if (others >= most) return false
        const values = { name, at, admitted_by: by, bound: bound ? (1 as const) : (0 as const) }
        await tx
          .insertInto('standing_admissions')
          .values({ meeting_id: meetingId, participant_id: participantId, token_id: tokenId, ...values })
          .onConflict((conflict) =>
            conflict.columns(['meeting_id', 'participant_id', 'token_id']).doUpdateSet(values),
          )
          .execute()
        return true
      })
    },
    lift: async (meetingId, participantId) => {
      const { numDeletedRows } = await write({ lane: 'standing' }, (tx) =>
        tx
          .deleteFrom('standing_admissions')
          .where('meeting_id', '=', meetingId)
          .where('participant_id', '=', participantId)
          .executeTakeFirst(),
      )
      return numDeletedRows > 0n
    },
    of: async (meetingId, participantId) => {
      const rows = await db
        .selectFrom('standing_admissions')
        .selectAll()
        .where('meeting_id', '=', meetingId)
        .where('participant_id', '=', participantId)
        .execute()
      return rows.map(toAdmission)
    },
    list: async (meetingId) => {
      const rows = await db
        .selectFrom('standing_admissions')
        .selectAll()
        .where('meeting_id', '=', meetingId)
        .orderBy('at')
        .orderBy('participant_id')
        .orderBy('token_id')
        .execute()
      return rows.map(toAdmission)
    },
  }
}

function toAdmission(row: Selectable<Schema['standing_admissions']>): StandingAdmission {
  return {
    meetingId: row.meeting_id,
    participantId: row.participant_id,
    tokenId: row.token_id,
    bound: row.bound === 1,
    name: row.name,
    at: row.at,
    by: row.admitted_by,
  }
}
