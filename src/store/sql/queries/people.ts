/** What is kept about one participant, over all sessions of a project. */
import { sql, type Kysely } from 'kysely'
import type { ErasedCounts, PersonalRecord, Store } from '../../store.ts'
import type { Schema } from '../schema.ts'
import type { SqlContext } from '../sql-context.ts'

/** The tables with the participant's id in `participant_id`, and the session's in `session_id`. */
const OWN = ['stays', 'intervals', 'admissions', 'removals', 'participant_stats', 'poll_votes'] as const
/** Those of them from which every session of a participant follows; the others have rows beside a stay alone. */
const FOUND_IN = ['stays', 'admissions', 'removals', 'poll_votes', 'chat_hearers'] as const
/** Values in one statement. */
const IDS_AT_ONCE = 1000
/** In the words of the index `stays_erased`; `api/` makes the pseudonyms. */
const IS_ERASED = sql<boolean>`substr(participant_id, 1, 7) = 'erased-'`
/** Not by `like`: SQLite's takes an `A` for an `a`. */
const contains = (column: string, text: string) =>
  sql<boolean>`replace(${sql.ref(column)}, ${text}, '') <> ${sql.ref(column)}`
/** Whether JSON in a column has the id as a text. */
const names = (column: string, participantId: string) => contains(column, JSON.stringify(participantId))

export function peopleQueries({ db, write }: SqlContext): Store['people'] {
  return {
    sessionsOf: async (projectId, participantId) => {
      const named = (
        table: (typeof FOUND_IN)[number] | 'chat_messages' | 'polls',
        column = 'participant_id',
      ) => db.selectFrom(table).select('session_id').where(sql.ref(column), '=', participantId).distinct()
      const found = await Promise.all(
        [
          ...FOUND_IN.map((table) => named(table)),
          named('chat_messages', 'sender_id'),
          named('polls', 'asker_id'),
          named('removals', 'removed_by'),
          // When the rest was erased, these may have waited. The key says that it is not another text that equals the id.
          db
            .selectFrom('deliveries')
            .select('session_id')
            .where('session_id', 'in', db.selectFrom('stays').select('session_id').where(IS_ERASED))
            .where(contains('body', `"participantId":${JSON.stringify(participantId)}`)),
        ].map((sessions) => sessions.execute()),
      )
      const ids = [...new Set(found.flat().map(({ session_id }) => session_id))]
      const rows = []
      // By their ids alone: with the project as well, the planner reads all its sessions.
      for (let at = 0; at < ids.length; at += IDS_AT_ONCE)
        rows.push(
          ...(await db
            .selectFrom('sessions')
            .select(['session_id', 'ended_at', 'started_at', 'project_id'])
            .where('session_id', 'in', ids.slice(at, at + IDS_AT_ONCE))
            .execute()),
        )
      return rows
        .filter(({ project_id }) => project_id === projectId)
        .sort(
          (one, other) => one.started_at - other.started_at || (one.session_id < other.session_id ? -1 : 1),
        )
        .map(({ session_id: sessionId, ended_at }) => ({ sessionId, ongoing: ended_at === null }))
    },
    records: async (projectId, participantId, sessionId) => {
      const found: PersonalRecord[] = []
      const add = (kind: string, rows: readonly object[]): void => {
        for (const row of rows) found.push({ kind, sessionId, record: readable(row) })
      }
      if (sessionId === null) {
        const invites = await db
          .selectFrom('invites')
          .select(['invite_id', 'meeting_id', 'created_at', 'expires_at', 'uses', 'revoked_at'])
          .where('project_id', '=', projectId)
          .where('participant_id', '=', participantId)
          .execute()
        add('invites', invites)
        const standing = await db
          .selectFrom('standing_admissions')
          .selectAll()
          .where('meeting_id', 'in', ofProject(db, projectId))
          .where('participant_id', '=', participantId)
          .execute()
        add('standing_admissions', standing)
        return found
      }
      for (const table of OWN)
        add(
          table,
          await db
            .selectFrom(table)
            .selectAll()
            .where('session_id', '=', sessionId)
            .where('participant_id', '=', participantId)
            .execute(),
        )
      add(
        'chat_messages',
        await db
          .selectFrom('chat_messages')
          .select([
            'message_id',
            'topic',
            'sender_id',
            'sender_name',
            'message',
            'payload',
            'send_only',
            'at',
          ])
          .where('session_id', '=', sessionId)
          .where((where) =>
            where.or([
              where('sender_id', '=', participantId),
              where(
                'number',
                'in',
                db
                  .selectFrom('chat_hearers')
                  .select('number')
                  .where('session_id', '=', sessionId)
                  .where('participant_id', '=', participantId),
              ),
            ]),
          )
          .orderBy('number')
          .execute(),
      )
      add(
        'polls',
        await db
          .selectFrom('polls')
          .selectAll()
          .where('session_id', '=', sessionId)
          .where('asker_id', '=', participantId)
          .execute(),
      )
      add(
        'outputs',
        await db
          .selectFrom('outputs')
          .select(['output_id', 'kind', 'track_kind', 'started_at', 'ended_at', 'files'])
          .where('session_id', '=', sessionId)
          .where('participant_id', '=', participantId)
          .where('deleted_at', 'is', null)
          .execute(),
      )
      add(
        'deliveries',
        await db
          .selectFrom('deliveries')
          .select(['delivery_id', 'event', 'end_point', 'body', 'occurred_at', 'state'])
          .where('session_id', '=', sessionId)
          .where(names('body', participantId))
          .execute(),
      )
      return found
    },
    filesIn: async (projectId, participantId, sessionId) => {
      const outputs = await db
        .selectFrom('outputs')
        .select(['output_id', 'participant_id'])
        .where('project_id', '=', projectId)
        .where('session_id', '=', sessionId)
        .where('deleted_at', 'is', null)
        .where('kind', '!=', 'livestream')
        .execute()
      const jobs = await db
        .selectFrom('jobs')
        .select(['job_id', 'inputs'])
        .where('project_id', '=', projectId)
        .where('session_id', '=', sessionId)
        .where('deleted_at', 'is', null)
        .execute()
      const ofPerson = ({ inputs }: { inputs: string }): boolean =>
        (JSON.parse(inputs) as { participantId: string | null }[]).some(
          (input) => input.participantId === participantId,
        )
      const { total } = await db
        .selectFrom('deliveries')
        .select((select) => select.fn.countAll<number>().as('total'))
        .where('session_id', '=', sessionId)
        .where('state', '=', 'waiting')
        .where(names('body', participantId))
        .executeTakeFirstOrThrow()
      const own = outputs.filter(({ participant_id }) => participant_id === participantId)
      const shared = outputs.filter(({ participant_id }) => participant_id === null)
      return {
        own: own.map(({ output_id }) => output_id),
        shared: shared.map(({ output_id }) => output_id),
        jobs: jobs.filter(ofPerson).map(({ job_id }) => job_id),
        sharedJobs: jobs.filter((job) => !ofPerson(job)).map(({ job_id }) => job_id),
        deliveriesWaiting: total,
      }
    },
    eraseIn: (projectId, participantId, sessionId, pseudonym) =>
      write({ lane: 'people' }, async (tx) => {
        const session = await tx
          .selectFrom('sessions')
          .select('session_id')
          .where('session_id', '=', sessionId)
          .where('project_id', '=', projectId)
          .where('ended_at', 'is not', null)
          .executeTakeFirst()
        return session ? erase(tx, participantId, sessionId, pseudonym) : {}
      }),
    eraseInvites: (projectId, participantId, at) =>
      write({ lane: 'people' }, async (tx) => {
        await tx
          .updateTable('invites')
          .set({ revoked_at: at })
          .where('project_id', '=', projectId)
          .where('participant_id', '=', participantId)
          .where('revoked_at', 'is', null)
          .execute()
        const { numUpdatedRows } = await tx
          .updateTable('invites')
          .set({ participant_id: null, token_id: null })
          .where('project_id', '=', projectId)
          .where('participant_id', '=', participantId)
          .executeTakeFirst()
        return Number(numUpdatedRows)
      }),
    eraseStanding: (projectId, participantId) =>
      write({ lane: 'people' }, async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('standing_admissions')
          .set({ admitted_by: null })
          .where('meeting_id', 'in', ofProject(tx, projectId))
          .where('admitted_by', '=', participantId)
          .executeTakeFirst()
        const { numDeletedRows } = await tx
          .deleteFrom('standing_admissions')
          .where('meeting_id', 'in', ofProject(tx, projectId))
          .where('participant_id', '=', participantId)
          .executeTakeFirst()
        return Number(numUpdatedRows) + Number(numDeletedRows)
      }),
  }
}

const ofProject = (db: Kysely<Schema>, projectId: string) =>
  db.selectFrom('meetings').select('meeting_id').where('project_id', '=', projectId)

async function erase(
  tx: Kysely<Schema>,
  participantId: string,
  sessionId: string,
  pseudonym: string,
): Promise<ErasedCounts> {
  const counts: ErasedCounts = {}
  const took = (kind: string, rows: bigint): void => {
    if (rows > 0n) counts[kind] = (counts[kind] ?? 0) + Number(rows)
  }
  // That somebody was there, and how long, counts for the others and for the bill; who it was does not.
  const stays = await tx
    .updateTable('stays')
    .set({ participant_id: pseudonym, name: '', device: null, token_id: null })
    .where('session_id', '=', sessionId)
    .where('participant_id', '=', participantId)
    .executeTakeFirst()
  took('stays', stays.numUpdatedRows)
  const intervals = await tx
    .updateTable('intervals')
    .set({ participant_id: pseudonym })
    .where('session_id', '=', sessionId)
    .where('participant_id', '=', participantId)
    .executeTakeFirst()
  took('intervals', intervals.numUpdatedRows)
  for (const table of ['admissions', 'removals', 'participant_stats'] as const) {
    const { numDeletedRows } = await tx
      .deleteFrom(table)
      .where('session_id', '=', sessionId)
      .where('participant_id', '=', participantId)
      .executeTakeFirst()
    took(table, numDeletedRows)
  }
  const removedOthers = await tx
    .updateTable('removals')
    .set({ removed_by: null, removed_by_name: null })
    .where('session_id', '=', sessionId)
    .where('removed_by', '=', participantId)
    .executeTakeFirst()
  took('removals', removedOthers.numUpdatedRows)

  const sent = tx
    .selectFrom('chat_messages')
    .select('number')
    .where('session_id', '=', sessionId)
    .where('sender_id', '=', participantId)
  await tx
    .deleteFrom('chat_hearers')
    .where('session_id', '=', sessionId)
    .where('number', 'in', sent)
    .execute()
  const messages = await tx
    .deleteFrom('chat_messages')
    .where('session_id', '=', sessionId)
    .where('sender_id', '=', participantId)
    .executeTakeFirst()
  took('chat_messages', messages.numDeletedRows)
  // What others wrote to the person is theirs; it no longer says to whom.
  const heard = await tx
    .selectFrom('chat_messages')
    .select(['number', 'send_only'])
    .where('session_id', '=', sessionId)
    .where(names('send_only', participantId))
    .execute()
  for (const { number, send_only } of heard) {
    const to = (JSON.parse(send_only) as string[]).map((id) => (id === participantId ? pseudonym : id))
    await tx
      .updateTable('chat_messages')
      .set({ send_only: JSON.stringify(to) })
      .where('number', '=', number)
      .execute()
  }
  await tx
    .updateTable('chat_hearers')
    .set({ participant_id: pseudonym })
    .where('session_id', '=', sessionId)
    .where('participant_id', '=', participantId)
    .execute()
  await tx
    .updateTable('chat_messages')
    .set({ account_id: null })
    .where('session_id', '=', sessionId)
    .where('account_id', '=', participantId)
    .execute()

  const votes = await tx
    .selectFrom('poll_votes')
    .select(['poll_id', 'token_id'])
    .where('session_id', '=', sessionId)
    .where('participant_id', '=', participantId)
    .execute()
  for (const [index, { poll_id, token_id }] of votes.entries())
    await tx
      .updateTable('poll_votes')
      // With each token there may be a vote in the same poll, so each gets another id.
      .set({ participant_id: pseudonym, token_id: `${pseudonym}-${index}`, name: '' })
      .where('session_id', '=', sessionId)
      .where('poll_id', '=', poll_id)
      .where('participant_id', '=', participantId)
      .where('token_id', '=', token_id)
      .execute()
  took('poll_votes', BigInt(votes.length))
  const polls = await tx
    .updateTable('polls')
    .set({ asker_id: pseudonym, asker_name: '' })
    .where('session_id', '=', sessionId)
    .where('asker_id', '=', participantId)
    .executeTakeFirst()
  took('polls', polls.numUpdatedRows)
  await tx.updateTable('sessions').set({ decisions: null }).where('session_id', '=', sessionId).execute()

  const told = tx
    .selectFrom('deliveries')
    .select('delivery_id')
    .where('session_id', '=', sessionId)
    .where('state', '!=', 'waiting')
    .where(names('body', participantId))
  await tx.deleteFrom('delivery_tries').where('delivery_id', 'in', told).execute()
  const deliveries = await tx
    .deleteFrom('deliveries')
    .where('session_id', '=', sessionId)
    .where('state', '!=', 'waiting')
    .where(names('body', participantId))
    .executeTakeFirst()
  took('deliveries', deliveries.numDeletedRows)
  return counts
}

/** A row as it is exported: JSON where it is JSON, no tokens. */
function readable(row: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row)
      .filter(([name]) => name !== 'token_id' && name !== 'session_id')
      .map(([name, value]: [string, unknown]) => [
        name,
        Buffer.isBuffer(value) ? value.toString('utf8') : value,
      ]),
  )
}
