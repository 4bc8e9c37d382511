/** The queries of the store, typed once and in no database's own dialect. */
import { sql, type Kysely, type Selectable } from 'kysely'
import type { Schema } from './schema.ts'
import type { ApiKeyRecord, InviteRecord, MeetingRecord, SessionRecord, StayRecord, Store } from './store.ts'
import { StoreProblem } from './problem.ts'
import { SealBroken, type Seal } from './seal.ts'

/** Opened at each start, so that a wrong master key shows at once. */
const SEAL_PROBE = 'seal-probe'

/** Runs one write on its own or in a group with others; resolves when it has reached the disk. */
export type Write = <T>(work: (db: Kysely<Schema>) => Promise<T>) => Promise<T>

/** What a database must bring: a connection to read on, and a way to write that turns a taken value into `StoreConflict`. */
export interface Ground {
  db: Kysely<Schema>
  write: Write
  seal: Seal
}

/** @throws {SealBroken} when the master key is not the one that the store was made with */
export async function proveSeal({ values }: Pick<Store, 'values'>, seal: Seal): Promise<void> {
  const probe = await values.get(SEAL_PROBE)
  if (probe === undefined) await values.set(SEAL_PROBE, seal.seal(SEAL_PROBE, SEAL_PROBE))
  else seal.open(probe, SEAL_PROBE)
}

export function storeOver({ db, write, seal }: Ground): Omit<Store, 'close' | 'files'> {
  function openSecret(sealed: string, apiKey: string): string {
    try {
      return seal.open(sealed, apiKey)
    } catch (cause) {
      if (!(cause instanceof SealBroken)) throw cause
      throw new StoreProblem(`The stored secret of the API key ${apiKey} was changed: put back a backup.`, {
        cause,
      })
    }
  }

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
        await write((tx) => tx.insertInto('api_keys').values(row).execute())
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
          secret: openSecret(row.sealed_secret, row.api_key),
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
          const made = await tx
            .insertInto('meetings')
            .values(row)
            .onConflict((conflict) => conflict.columns(['project_id', 'custom_id']).doNothing())
            .returningAll()
            .executeTakeFirst()
          if (made) return toMeeting(made)
          const there = await tx
            .selectFrom('meetings')
            .selectAll()
            .where('project_id', '=', meeting.projectId)
            .where('custom_id', '=', meeting.customId)
            .executeTakeFirstOrThrow()
          return toMeeting(there)
        }),
      find: async (projectId, anyId) => {
        const meetings = db.selectFrom('meetings').where('project_id', '=', projectId)
        // One question by each index: the planner answers an `or` over three columns by reading the whole project.
        const row = await meetings
          .where('meeting_id', '=', anyId)
          .selectAll()
          .select(sql<number>`0`.as('rank'))
          .unionAll(
            meetings
              .where('id', '=', anyId)
              .selectAll()
              .select(sql<number>`1`.as('rank')),
          )
          .unionAll(
            meetings
              .where('custom_id', '=', anyId)
              .selectAll()
              .select(sql<number>`2`.as('rank')),
          )
          // A custom id may look like another meeting's own; ids that we gave out win.
          .orderBy('rank')
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

    chat: {
      append: async (message) => {
        const row = {
          session_id: message.sessionId,
          message_id: message.messageId,
          client_message_id: message.clientMessageId,
          topic: message.topic,
          sender_id: message.senderId,
          sender_name: message.senderName,
          message: message.message,
          payload: Buffer.from(message.payload),
          send_only: JSON.stringify(message.sendOnly),
          at: message.at,
        }
        await write((tx) => tx.insertInto('chat_messages').values(row).execute())
      },
      list: async (sessionId) => {
        const rows = await db
          .selectFrom('chat_messages')
          .selectAll()
          .where('session_id', '=', sessionId)
          .orderBy('number')
          .execute()
        return rows.map((row) => ({
          sessionId: row.session_id,
          messageId: row.message_id,
          clientMessageId: row.client_message_id,
          topic: row.topic,
          senderId: row.sender_id,
          senderName: row.sender_name,
          message: row.message,
          payload: row.payload,
          sendOnly: JSON.parse(row.send_only) as string[],
          at: row.at,
        }))
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
