import type { Kysely, Selectable } from 'kysely'
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
            api_key: invite.apiKey,
            token_id: invite.tokenId,
            parent_id: invite.parentId,
            participant_id: invite.participantId,
          })
          .execute(),
      )
    },
    line: (inviteId) => lineOf(db, inviteId),
    lineOfCode: (codeHash) => lineOfCode(db, codeHash),
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
        const line = await lineOfCode(tx, codeHash)
        const inForce = line.every(
          ({ revokedAt, expiresAt, maxUses, uses }) =>
            revokedAt === null && expiresAt > now && (maxUses === null || uses < maxUses),
        )
        if (line.length === 0 || !inForce) return undefined
        await tx
          .updateTable('invites')
          .set((set) => ({ uses: set('uses', '+', 1) }))
          .where(
            'invite_id',
            'in',
            line.map(({ inviteId }) => inviteId),
          )
          .execute()
        return line.map((invite) => ({ ...invite, uses: invite.uses + 1 }))
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

async function lineOfCode(db: Kysely<Schema>, codeHash: string): Promise<InviteRecord[]> {
  const found = await db
    .selectFrom('invites')
    .select('invite_id')
    .where('code_hash', '=', codeHash)
    .executeTakeFirst()
  return found ? lineOf(db, found.invite_id) : []
}

async function lineOf(db: Kysely<Schema>, inviteId: string): Promise<InviteRecord[]> {
  const line: InviteRecord[] = []
  for (let next: string | null = inviteId; next !== null;) {
    const row = await db.selectFrom('invites').selectAll().where('invite_id', '=', next).executeTakeFirst()
    if (!row) break
    line.push(toInvite(row))
    next = row.parent_id
  }
  return line
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
    apiKey: row.api_key,
    tokenId: row.token_id,
    parentId: row.parent_id,
    participantId: row.participant_id,
  }
}
