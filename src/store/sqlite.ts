/** The store in one file, with a write-ahead log. */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect, type Selectable } from 'kysely'
import { Migrator } from 'kysely/migration'
import type { Schema } from './schema.ts'
import type { ApiKeyRecord, InviteRecord, MeetingRecord, SessionRecord, StayRecord, Store } from './store.ts'
import * as first from './migrations/0001-first.ts'
import { StoreConflict, StoreProblem } from './problem.ts'
import { SealBroken, type Seal } from './seal.ts'
import { WriteQueue } from './write-queue.ts'

const FILE = 'anteroom.db'
const BUSY_TIMEOUT_MS = 5000
/** In order; names are never changed once published. */
const migrations = { '0001-first': first }
/** Opened at each start, so that a wrong master key shows at once. */
const SEAL_PROBE = 'seal-probe'

export async function openSqlite(folder: string, seal: Seal): Promise<Store> {
  const file = join(folder, FILE)
  const writer = connect(file)
  chmodSync(file, 0o600)
  await migrate(writer, file)
  // A second connection, so that no question waits for a commit on its way to the disk.
  const reader = connect(file)
  const queue = new WriteQueue(writer)
  const write = queue.run.bind(queue)
  const store = storeOver(reader, write, seal)

  const probe = await store.values.get(SEAL_PROBE)
  try {
    if (probe === undefined) await store.values.set(SEAL_PROBE, seal.seal(SEAL_PROBE, SEAL_PROBE))
    else seal.open(probe, SEAL_PROBE)
  } catch (cause) {
    await Promise.all([reader.destroy(), writer.destroy()])
    if (!(cause instanceof SealBroken)) throw cause
    throw new StoreProblem(
      `The master key is not the one that ${file} was made with: put back the old key.`,
      { cause },
    )
  }
  return {
    ...store,
    close: async () => {
      await queue.idle()
      await Promise.all([reader.destroy(), writer.destroy()])
    },
  }
}

function connect(file: string): Kysely<Schema> {
  let database
  try {
    database = new Database(file)
    database.pragma('journal_mode = WAL')
  } catch (cause) {
    throw new StoreProblem(
      `The database ${file} cannot be opened: check that it is whole and that its folder can be written.`,
      { cause },
    )
  }
  // A call that resolved has survived a power cut too, not only the end of the process.
  database.pragma('synchronous = FULL')
  database.pragma('foreign_keys = ON')
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database }) })
}

async function migrate(db: Kysely<Schema>, file: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  await db.destroy()
  throw new StoreProblem(
    `The database ${file} is of a newer Anteroom or is damaged: start that version, or put back a backup.`,
    {
      cause: error,
    },
  )
}

function storeOver(db: Kysely<Schema>, write: WriteQueue<Schema>['run'], seal: Seal): Omit<Store, 'close'> {
  return {
    projects: {
      create: async ({ projectId, name, createdAt }) => {
        await write((tx) =>
          tx.insertInto('projects').values({ project_id: projectId, name, created_at: createdAt }).execute(),
        )
      },
      list: async () => {
        const rows = await db.selectFrom('projects').selectAll().orderBy('created_at').execute()
        return rows.map((row) => ({ projectId: row.project_id, name: row.name, createdAt: row.created_at }))
      },
    },

    keys: {
      create: async (key) => {
        const row = {
          api_key: key.apiKey,
          project_id: key.projectId,
          name: key.name,
          sealed_secret: seal.seal(key.secret, key.apiKey),
          created_at: key.createdAt,
          revoked_at: key.revokedAt,
        }
        const { numInsertedOrUpdatedRows } = await write((tx) =>
          tx
            .insertInto('api_keys')
            .values(row)
            .onConflict((conflict) => conflict.column('api_key').doNothing())
            .executeTakeFirst(),
        )
        if (numInsertedOrUpdatedRows === 0n) throw new StoreConflict('There is an API key of this name.')
      },
      list: async () => {
        const rows = await db
          .selectFrom('api_keys')
          .selectAll()
          .orderBy('created_at')
          .orderBy('api_key')
          .execute()
        return rows.map((row): ApiKeyRecord => ({
          apiKey: row.api_key,
          projectId: row.project_id,
          name: row.name,
          secret: seal.open(row.sealed_secret, row.api_key),
          createdAt: row.created_at,
          revokedAt: row.revoked_at,
        }))
      },
      revoke: (apiKey, at) =>
        write(async (tx) => {
          const there = await tx
            .selectFrom('api_keys')
            .select('api_key')
            .where('api_key', '=', apiKey)
            .executeTakeFirst()
          if (!there) return false
          await tx
            .updateTable('api_keys')
            .set({ revoked_at: at })
            .where('api_key', '=', apiKey)
            .where('revoked_at', 'is', null)
            .execute()
          return true
        }),
      setSecret: async (apiKey, secret) => {
        const sealed_secret = seal.seal(secret, apiKey)
        await write((tx) =>
          tx.updateTable('api_keys').set({ sealed_secret }).where('api_key', '=', apiKey).execute(),
        )
      },
    },

    meetings: {
      create: (meeting) =>
        write(async (tx) => {
          const row = {
            id: meeting.id,
            meeting_id: meeting.meetingId,
            project_id: meeting.projectId,
            custom_id: meeting.customId,
            settings: JSON.stringify(meeting.settings),
            disabled_at: meeting.disabledAt,
            created_at: meeting.createdAt,
            updated_at: meeting.updatedAt,
          }
          if (meeting.customId !== null) {
            const there = await tx
              .selectFrom('meetings')
              .selectAll()
              .where('project_id', '=', meeting.projectId)
              .where('custom_id', '=', meeting.customId)
              .executeTakeFirst()
            if (there) return toMeeting(there)
          }
          try {
            await tx.insertInto('meetings').values(row).execute()
          } catch (cause) {
            if (isUniqueViolation(cause)) throw new StoreConflict('This meeting id is taken.', { cause })
            throw cause
          }
          return meeting
        }),
      find: async (projectId, anyId) => {
        const row = await db
          .selectFrom('meetings')
          .selectAll()
          .where('project_id', '=', projectId)
          .where((where) =>
            where.or([
              where('meeting_id', '=', anyId),
              where('custom_id', '=', anyId),
              where('id', '=', anyId),
            ]),
          )
          // A custom id may look like somebody's meeting id; the canonical id wins.
          .orderBy((order) => order.case().when('meeting_id', '=', anyId).then(0).else(1).end())
          .limit(1)
          .executeTakeFirst()
        return row && toMeeting(row)
      },
      get: async (meetingId) => {
        const row = await db
          .selectFrom('meetings')
          .selectAll()
          .where('meeting_id', '=', meetingId)
          .executeTakeFirst()
        return row && toMeeting(row)
      },
      list: async (projectId, { page, perPage }, query) => {
        let matching = db.selectFrom('meetings').where('project_id', '=', projectId)
        if (query !== undefined) {
          matching = matching.where((where) =>
            where.or([where('meeting_id', '=', query), where('custom_id', '=', query)]),
          )
        }
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
        write(async (tx) => {
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
    },

    sessions: {
      start: async (session) => {
        await write((tx) =>
          tx
            .insertInto('sessions')
            .values({
              session_id: session.sessionId,
              meeting_id: session.meetingId,
              project_id: session.projectId,
              started_at: session.startedAt,
              ended_at: session.endedAt,
              end_reason: session.endReason,
            })
            .execute(),
        )
      },
      end: async (sessionId, at, reason) => {
        await write((tx) =>
          tx
            .updateTable('sessions')
            .set({ ended_at: at, end_reason: reason })
            .where('session_id', '=', sessionId)
            .where('ended_at', 'is', null)
            .execute(),
        )
      },
      get: async (sessionId) => {
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
        return row && toSession(row)
      },
      listOngoing: async () => {
        const rows = await db.selectFrom('sessions').selectAll().where('ended_at', 'is', null).execute()
        return rows.map(toSession)
      },
      join: async (stay) => {
        await write((tx) =>
          tx
            .insertInto('stays')
            .values({
              session_id: stay.sessionId,
              participant_id: stay.participantId,
              name: stay.name,
              joined_at: stay.joinedAt,
              left_at: stay.leftAt,
              leave_reason: stay.leaveReason,
            })
            .execute(),
        )
      },
      leave: async (sessionId, participantId, at, reason) => {
        await write((tx) =>
          tx
            .updateTable('stays')
            .set({ left_at: at, leave_reason: reason })
            .where('session_id', '=', sessionId)
            .where('participant_id', '=', participantId)
            .where('left_at', 'is', null)
            .execute(),
        )
      },
      stays: async (sessionId) => {
        const rows = await db
          .selectFrom('stays')
          .selectAll()
          .where('session_id', '=', sessionId)
          .orderBy('joined_at')
          .execute()
        return rows.map((row): StayRecord => ({
          sessionId: row.session_id,
          participantId: row.participant_id,
          name: row.name,
          joinedAt: row.joined_at,
          leftAt: row.left_at,
          leaveReason: row.leave_reason,
        }))
      },
      mark: async ({ sessionId, kind, subject, at }) => {
        await write((tx) =>
          tx
            .insertInto('session_marks')
            .values({ session_id: sessionId, kind, subject, at })
            .onConflict((conflict) => conflict.doNothing())
            .execute(),
        )
      },
      unmark: async (sessionId, kind, subject) => {
        const { numDeletedRows } = await write((tx) =>
          tx
            .deleteFrom('session_marks')
            .where('session_id', '=', sessionId)
            .where('kind', '=', kind)
            .where('subject', '=', subject)
            .executeTakeFirst(),
        )
        return numDeletedRows > 0n
      },
      marks: async (sessionId) => {
        const rows = await db
          .selectFrom('session_marks')
          .selectAll()
          .where('session_id', '=', sessionId)
          .orderBy('at')
          .execute()
        return rows.map(({ session_id, ...mark }) => ({ sessionId: session_id, ...mark }))
      },
    },

    invites: {
      create: async (invite) => {
        await write((tx) =>
          tx
            .insertInto('invites')
            .values({
              code_hash: invite.codeHash,
              invite_id: invite.inviteId,
              meeting_id: invite.meetingId,
              project_id: invite.projectId,
              entry: invite.entry,
              created_at: invite.createdAt,
              expires_at: invite.expiresAt,
              max_uses: invite.maxUses,
              uses: invite.uses,
              revoked_at: invite.revokedAt,
            })
            .execute(),
        )
      },
      find: async (codeHash) => {
        const row = await db
          .selectFrom('invites')
          .selectAll()
          .where('code_hash', '=', codeHash)
          .executeTakeFirst()
        return row && toInvite(row)
      },
      list: async (meetingId) => {
        const rows = await db
          .selectFrom('invites')
          .selectAll()
          .where('meeting_id', '=', meetingId)
          .orderBy('created_at', 'desc')
          .execute()
        return rows.map(toInvite)
      },
      use: (codeHash, now) =>
        write(async (tx) => {
          const row = await tx
            .updateTable('invites')
            .set((set) => ({ uses: set('uses', '+', 1) }))
            .where('code_hash', '=', codeHash)
            .where('revoked_at', 'is', null)
            .where('expires_at', '>', now)
            .where((where) =>
              where.or([where('max_uses', 'is', null), where('uses', '<', where.ref('max_uses'))]),
            )
            .returningAll()
            .executeTakeFirst()
          return row && toInvite(row)
        }),
      revoke: async (inviteId, at) => {
        const { numUpdatedRows } = await write((tx) =>
          tx
            .updateTable('invites')
            .set({ revoked_at: at })
            .where('invite_id', '=', inviteId)
            .where('revoked_at', 'is', null)
            .executeTakeFirst(),
        )
        return numUpdatedRows > 0n
      },
    },

    values: {
      get: async (name) =>
        (await db.selectFrom('stored_values').select('value').where('name', '=', name).executeTakeFirst())
          ?.value,
      set: async (name, value) => {
        await write((tx) =>
          tx
            .insertInto('stored_values')
            .values({ name, value })
            .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
            .execute(),
        )
      },
    },

    check: async () => {
      await write((tx) =>
        tx.updateTable('stored_values').set({ name: SEAL_PROBE }).where('name', '=', SEAL_PROBE).execute(),
      )
    },
  }
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CONSTRAINT')
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

function toInvite(row: Selectable<Schema['invites']>): InviteRecord {
  return {
    codeHash: row.code_hash,
    inviteId: row.invite_id,
    meetingId: row.meeting_id,
    projectId: row.project_id,
    entry: row.entry,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    maxUses: row.max_uses,
    uses: row.uses,
    revokedAt: row.revoked_at,
  }
}
