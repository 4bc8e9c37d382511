import type { Kysely, Selectable } from 'kysely'
import type { SqlDialect } from '../dialect.ts'
import type { SqlContext } from '../sql-context.ts'
import type { Schema } from '../schema.ts'
import type { InviteCounts, InviteRecord, Store } from '../../store.ts'

/** The longest chain of invites that is read; the rules allow fewer. */
const LONGEST_LINE = 100

export function inviteQueries({ db, write, dialect }: SqlContext): Store['invites'] {
  return {
    create: (invite, isFull = () => false) =>
      write({ lane: 'invites', holds: [`invites:${invite.meetingId}`] }, async (tx) => {
        if (isFull(await countsFor(tx, invite))) {
          await dropOutOfForce(tx, invite.meetingId, invite.createdAt)
          const counts = await countsFor(tx, invite)
          if (isFull(counts)) return counts
        }
        await tx
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
          .execute()
        return undefined
      }),
    line: (inviteId) => lineOf(db, inviteId),
    lineOfCode: (codeHash) => lineOfCode(db, codeHash),
    get: async (inviteId) => {
      const row = await db
        .selectFrom('invites')
        .selectAll()
        .where('invite_id', '=', inviteId)
        .executeTakeFirst()
      return row && toInvite(row)
    },
    list: async (meetingId, { page, perPage }) => {
      const ofMeeting = db.selectFrom('invites').where('meeting_id', '=', meetingId)
      const { total } = await ofMeeting
        .select((select) => select.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await ofMeeting
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('invite_id', 'desc')
        .limit(perPage)
        .offset((page - 1) * perPage)
        .execute()
      return { items: rows.map(toInvite), total }
    },
    use: (codeHash, now) =>
      write({ lane: 'invites' }, async (tx) => {
        const line = await lineOfCode(tx, codeHash, dialect)
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
      const { numUpdatedRows } = await write({ lane: 'invites' }, (tx) =>
        tx
          .updateTable('invites')
          .set({ revoked_at: at })
          .where('invite_id', '=', inviteId)
          .where('revoked_at', 'is', null)
          .executeTakeFirst(),
      )
      return numUpdatedRows > 0n
    },
    dropExpiredBefore: async (at, limit) => {
      const { numDeletedRows } = await write({ lane: 'invites' }, (tx) =>
        tx
          .deleteFrom('invites')
          .where(
            'invite_id',
            'in',
            tx
              .selectFrom('invites')
              .select('invite_id')
              .where('expires_at', '<', at)
              .orderBy('expires_at')
              .limit(limit),
          )
          .executeTakeFirst(),
      )
      return Number(numDeletedRows)
    },
  }
}

async function countsFor(tx: Kysely<Schema>, invite: InviteRecord): Promise<InviteCounts> {
  const { meetingId, tokenId, participantId } = invite
  const { meeting, token, participant } = await tx
    .selectFrom('invites')
    .where('meeting_id', '=', meetingId)
    .select(({ fn }) => [
      fn.countAll<number>().as('meeting'),
      fn.countAll<number>().filterWhere('token_id', '=', tokenId).as('token'),
      fn.countAll<number>().filterWhere('participant_id', '=', participantId).as('participant'),
    ])
    .executeTakeFirstOrThrow()
  return { meeting, token, participant }
}

/** Deletes invites that no longer admit anybody, and those whose parent was deleted. */
async function dropOutOfForce(tx: Kysely<Schema>, meetingId: string, now: number): Promise<void> {
  const ofMeeting = tx.deleteFrom('invites').where('meeting_id', '=', meetingId)
  await ofMeeting
    .where((where) =>
      where.or([
        where('revoked_at', 'is not', null),
        where('expires_at', '<=', now),
        where('uses', '>=', where.ref('max_uses')),
      ]),
    )
    .execute()
  for (let gone = 1n; gone > 0n;) {
    const { numDeletedRows } = await ofMeeting
      .where('parent_id', 'is not', null)
      .where(
        'parent_id',
        'not in',
        tx.selectFrom('invites').select('invite_id').where('meeting_id', '=', meetingId),
      )
      .executeTakeFirst()
    gone = numDeletedRows
  }
}

function inviteOf(db: Kysely<Schema>, inviteId: string, holding?: SqlDialect) {
  const one = db.selectFrom('invites').selectAll().where('invite_id', '=', inviteId)
  return holding ? holding.forUpdate(one) : one
}

/** With a dialect, locks the chain of invites until the transaction ends. */
async function lineOfCode(
  db: Kysely<Schema>,
  codeHash: string,
  holding?: SqlDialect,
): Promise<InviteRecord[]> {
  const found = await db
    .selectFrom('invites')
    .select('invite_id')
    .where('code_hash', '=', codeHash)
    .executeTakeFirst()
  return found ? lineOf(db, found.invite_id, holding) : []
}

async function lineOf(db: Kysely<Schema>, inviteId: string, holding?: SqlDialect): Promise<InviteRecord[]> {
  const line: InviteRecord[] = []
  for (let next: string | null = inviteId; next !== null;) {
    const row: Selectable<Schema['invites']> | undefined = await inviteOf(
      db,
      next,
      holding,
    ).executeTakeFirst()
    // If an ancestor was deleted, nobody can know whether it was still valid.
    if (!row || line.length === LONGEST_LINE) return []
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
