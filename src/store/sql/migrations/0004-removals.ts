import type { Kysely } from 'kysely'

interface Marks {
  session_marks: { session_id: string; kind: 'admitted' | 'removed'; subject: string; at: number }
  admissions: { session_id: string; participant_id: string; token_id: string; at: number }
  removals: {
    session_id: string
    participant_id: string
    token_id: string
    name: string | null
    at: number
    removed_by: string | null
    by_moderator: number
    token_shared: number
  }
}

/** Splits decisions into a table for admissions and one for removals, with columns for what was one text. */
export async function up(db: Kysely<Marks>): Promise<void> {
  await db.schema
    .createTable('admissions')
    .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.session_id'))
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('token_id', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('admissions_key', ['session_id', 'participant_id', 'token_id'])
    .execute()
  await db.schema
    .createTable('removals')
    .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.session_id'))
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('token_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text')
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('removed_by', 'text')
    .addColumn('by_moderator', 'integer', (column) => column.notNull())
    .addColumn('token_shared', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('removals_key', ['session_id', 'participant_id'])
    .execute()
  for (const { session_id, kind, subject, at } of await db
    .selectFrom('session_marks')
    .selectAll()
    .orderBy('at', 'desc')
    .execute()) {
    // A participant id contains no white space.
    const blank = subject.indexOf(' ')
    const row = {
      session_id,
      participant_id: subject.slice(0, blank),
      token_id: subject.slice(blank + 1),
      at,
    }
    switch (kind) {
      case 'admitted':
        await db.insertInto('admissions').values(row).execute()
        break
      case 'removed':
        // At that time, only moderators could remove, and every token counted as one person's.
        await db
          .insertInto('removals')
          .values({ ...row, name: null, removed_by: null, by_moderator: 1, token_shared: 0 })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        break
    }
  }
  await db.schema.dropTable('session_marks').execute()
}
