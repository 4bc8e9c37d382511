import type { Selectable } from 'kysely'
import type { Ground } from '../ground.ts'
import type { Schema } from '../schema.ts'
import type { InviteRecord, Store } from '../store.ts'

export function inviteQueries({ db, write }: Ground): Store['invites'] {
  return {
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
