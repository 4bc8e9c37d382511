import { sql, type Selectable } from 'kysely'
import type { SqlContext } from '../sql-context.ts'
import { together } from '../together.ts'
import type { Schema } from '../schema.ts'
import type { MeetingRecord, Store } from '../../store.ts'
import { IdTaken, StoreConflict } from '../../problem.ts'

export function meetingQueries({ db, write }: SqlContext): Store['meetings'] {
  const byMeetingId = async (meetingId: string): Promise<MeetingRecord | undefined> => {
    const row = await db
      .selectFrom('meetings')
      .selectAll()
      .where('meeting_id', '=', meetingId)
      .executeTakeFirst()
    return row && toMeeting(row)
  }
  return {
    create: (meeting) => {
      const { customId, projectId, meetingId, id } = meeting
      const ids = [meetingId, id, ...(customId === null ? [] : [customId])]
      const holds = ids.map((one) => `meeting:${projectId}:${one}`)
      return write({ lane: meetingId, holds }, async (tx) => {
        const inProject = tx.selectFrom('meetings').where('project_id', '=', projectId)
        if (customId !== null) {
          const there = await inProject.selectAll().where('custom_id', '=', customId).executeTakeFirst()
          if (there) return toMeeting(there)
          // Reveal nothing of another project: its ids do not exist here.
          const named = await inProject
            .select('id')
            .where('meeting_id', '=', customId)
            .unionAll(inProject.select('id').where('id', '=', customId))
            .executeTakeFirst()
          if (named) throw new IdTaken('The custom id is the id of another meeting.')
        }
        const row = {
          id,
          meeting_id: meetingId,
          project_id: projectId,
          custom_id: customId,
          settings: JSON.stringify(meeting.settings),
          disabled_at: meeting.disabledAt,
          created_at: meeting.createdAt,
          updated_at: meeting.updatedAt,
        }
        // What is inserted is rolled back where the other statement finds something.
        const [custom, made] = await together([
          inProject.select('id').where('custom_id', 'in', [meetingId, id]).executeTakeFirst(),
          tx.insertInto('meetings').values(row).returningAll().executeTakeFirstOrThrow(),
        ])
        if (custom) throw new StoreConflict('This id is the custom id of another meeting.')
        return toMeeting(made)
      })
    },
    withCustomId: async (projectId, customId) => {
      const row = await db
        .selectFrom('meetings')
        .selectAll()
        .where('project_id', '=', projectId)
        .where('custom_id', '=', customId)
        .executeTakeFirst()
      return row && toMeeting(row)
    },
    find: async (projectId, anyId) => {
      // Try meetingId first: most callers use it, and it wins over a custom id of another meeting that looks the same.
      const canonical = await byMeetingId(anyId)
      if (canonical?.projectId === projectId) return canonical
      const meetings = db.selectFrom('meetings').where('project_id', '=', projectId)
      // One query per index: for an `or` over two columns the planner would read the whole project.
      const row = await meetings
        .where('id', '=', anyId)
        .selectAll()
        .select(sql<number>`1`.as('rank'))
        .unionAll(
          meetings
            .where('custom_id', '=', anyId)
            .selectAll()
            .select(sql<number>`2`.as('rank')),
        )
        .orderBy('rank')
        .limit(1)
        .executeTakeFirst()
      return row && toMeeting(row)
    },
    get: byMeetingId,
    list: async (projectId, { page, perPage }, query) => {
      const inProject = db.selectFrom('meetings').where('project_id', '=', projectId)
      const matching =
        query === undefined
          ? inProject
          : inProject.where(
              'id',
              'in',
              inProject
                .select('id')
                .where('meeting_id', '=', query)
                .union(inProject.select('id').where('custom_id', '=', query)),
            )
      const { total } = await matching
        .select((select) => select.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await matching
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(perPage)
        .offset((page - 1) * perPage)
        .execute()
      return { items: rows.map(toMeeting), total }
    },
    disable: (meetingId, at) =>
      write({ lane: meetingId }, async (tx) => {
        await tx
          .updateTable('meetings')
          .set({ disabled_at: at, updated_at: at })
          .where('meeting_id', '=', meetingId)
          .where('disabled_at', 'is', null)
          .execute()
        const row = await tx
          .selectFrom('meetings')
          .selectAll()
          .where('meeting_id', '=', meetingId)
          .executeTakeFirst()
        return row && toMeeting(row)
      }),
    configure: (meetingId, changes, at) =>
      write({ lane: meetingId }, async (tx) => {
        const there = await tx
          .selectFrom('meetings')
          .select('settings')
          .where('meeting_id', '=', meetingId)
          .executeTakeFirst()
        if (!there) return undefined
        const settings = JSON.stringify({
          ...(JSON.parse(there.settings) as MeetingRecord['settings']),
          ...changes,
        })
        const row = await tx
          .updateTable('meetings')
          .set({ settings, updated_at: at })
          .where('meeting_id', '=', meetingId)
          .returningAll()
          .executeTakeFirst()
        return row && toMeeting(row)
      }),
  }
}

function toMeeting(row: Selectable<Schema['meetings']>): MeetingRecord {
  return {
    id: row.id,
    meetingId: row.meeting_id,
    projectId: row.project_id,
    customId: row.custom_id,
    settings: JSON.parse(row.settings) as MeetingRecord['settings'],
    disabledAt: row.disabled_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
