/** Operators, and the links that invite them. */
import type { Kysely, Selectable } from 'kysely'
import type { GrantEnd, OperatorChange, OperatorInvite, OperatorRecord, Store } from '../../store.ts'
import { recordChange } from '../changes.ts'
import type { Schema } from '../schema.ts'
import type { SqlContext } from '../sql-context.ts'

/** One change at a time, so that two at once cannot leave the server without an owner. */
const TURN = { lane: 'operators', holds: ['operators'] }

/** Names that people confuse are one: keyboards compose letters differently, and nobody remembers the case. */
const keyOf = (name: string): string => name.normalize('NFKC').trim().toLowerCase()

export function operatorQueries(context: SqlContext): Store['operators'] {
  const { db, write, seal } = context
  const toOperator = (row: Selectable<Schema['operators']>): OperatorRecord => ({
    operatorId: row.operator_id,
    name: row.name,
    role: row.role,
    password: row.sealed_password === null ? null : seal.open(row.sealed_password, row.operator_id),
    grantId: row.grant_id,
    createdAt: row.created_at,
    totpSince: row.totp_since,
    externalId: row.external_id,
  })
  const sealed = (operatorId: string, password: string | null): string | null =>
    password === null ? null : seal.seal(password, operatorId)
  const find = async (from: Kysely<Schema>, operatorId: string): Promise<OperatorRecord | undefined> => {
    const row = await from
      .selectFrom('operators')
      .selectAll()
      .where('operator_id', '=', operatorId)
      .executeTakeFirst()
    return row && toOperator(row)
  }
  const oldestOwner = async (from: Kysely<Schema>): Promise<OperatorRecord | undefined> => {
    const row = await from
      .selectFrom('operators')
      .selectAll()
      .where('role', '=', 'owner')
      .where('external_id', 'is', null)
      .orderBy('created_at')
      .orderBy('operator_id')
      .limit(1)
      .executeTakeFirst()
    return row && toOperator(row)
  }
  const add = async (tx: Kysely<Schema>, operator: OperatorRecord): Promise<void> => {
    await tx
      .insertInto('operators')
      .values({
        operator_id: operator.operatorId,
        name: operator.name,
        name_key: keyOf(operator.name),
        role: operator.role,
        sealed_password: sealed(operator.operatorId, operator.password),
        grant_id: operator.grantId,
        created_at: operator.createdAt,
        sealed_totp: null,
        totp_since: null,
        totp_step: null,
        external_id: operator.externalId,
      })
      .execute()
  }
  const dropLinks = async (tx: Kysely<Schema>, operatorId: string): Promise<void> => {
    await tx
      .deleteFrom('operator_invites')
      .where((where) =>
        where.or([where('operator_id', '=', operatorId), where('invited_by', '=', operatorId)]),
      )
      .execute()
  }

  /** In the same transaction, so that no crash leaves tokens of somebody who may no longer mint them. */
  const revokeGrant = async (
    tx: Kysely<Schema>,
    { grantId }: OperatorRecord,
    { tokenIdOf, at }: GrantEnd,
  ): Promise<void> => {
    const projects = await tx.selectFrom('projects').select('project_id').execute()
    if (projects.length === 0) return
    await tx
      .insertInto('revoked_tokens')
      .values(
        projects.map(({ project_id }) => ({ project_id, token_id: tokenIdOf(grantId), revoked_at: at })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    await recordChange(tx, context)
  }

  return {
    totp: totpQueries({ db, write, seal }),
    firstOwner: async (first) => {
      const there = await oldestOwner(db)
      if (there) return there
      const made = await first()
      return write(TURN, async (tx) => {
        // Another process may have been faster.
        const others = await oldestOwner(tx)
        if (others) return others
        await add(tx, made)
        await tx.updateTable('sign_ins').set({ operator_id: made.operatorId }).execute()
        return made
      })
    },
    list: async () => {
      const rows = await db
        .selectFrom('operators')
        .selectAll()
        .orderBy('created_at')
        .orderBy('operator_id')
        .execute()
      return rows.map(toOperator)
    },
    get: (operatorId) => find(db, operatorId),
    named: async (name) => {
      const row = await db
        .selectFrom('operators')
        .selectAll()
        .where('name_key', '=', keyOf(name))
        .executeTakeFirst()
      return row && toOperator(row)
    },
    external: async (externalId) => {
      const row = await db
        .selectFrom('operators')
        .selectAll()
        .where('external_id', '=', externalId)
        .executeTakeFirst()
      return row && toOperator(row)
    },
    add: (operator) => write(TURN, (tx) => add(tx, operator)),
    change: (operatorId, change, end) =>
      write(TURN, async (tx) => {
        const before = await find(tx, operatorId)
        if (!before) return undefined
        if (change.role !== undefined && change.role !== 'owner' && (await isLastOwner(tx, before)))
          return 'last-owner'
        await tx
          .updateTable('operators')
          .set(columnsOf(operatorId, change, sealed))
          .where('operator_id', '=', operatorId)
          .execute()
        if (change.grantId !== undefined) await dropLinks(tx, operatorId)
        if (end) await revokeGrant(tx, before, end)
        return { ...before, ...change }
      }),
    delete: (operatorId, end) =>
      write(TURN, async (tx) => {
        const before = await find(tx, operatorId)
        if (!before) return undefined
        if (await isLastOwner(tx, before)) return 'last-owner'
        await tx.deleteFrom('operators').where('operator_id', '=', operatorId).execute()
        await tx.deleteFrom('sign_ins').where('operator_id', '=', operatorId).execute()
        await tx.deleteFrom('operator_recovery_codes').where('operator_id', '=', operatorId).execute()
        await dropLinks(tx, operatorId)
        await revokeGrant(tx, before, end)
        return before
      }),
    addInvite: async (invite) => {
      await write(TURN, (tx) =>
        tx
          .insertInto('operator_invites')
          .values({
            code_hash: invite.codeHash,
            invite_id: invite.inviteId,
            operator_id: invite.operatorId,
            name: invite.name,
            role: invite.role,
            invited_by: invite.invitedBy,
            created_at: invite.createdAt,
            expires_at: invite.expiresAt,
          })
          .execute(),
      )
    },
    invites: async () => {
      const rows = await db
        .selectFrom('operator_invites')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('invite_id')
        .execute()
      return rows.map(toInvite)
    },
    invite: async (codeHash) => {
      const row = await db
        .selectFrom('operator_invites')
        .selectAll()
        .where('code_hash', '=', codeHash)
        .executeTakeFirst()
      return row && toInvite(row)
    },
    dropInvite: (inviteId) =>
      write(TURN, async (tx) => {
        const { numDeletedRows } = await tx
          .deleteFrom('operator_invites')
          .where('invite_id', '=', inviteId)
          .executeTakeFirst()
        return numDeletedRows > 0n
      }),
    dropInvites: async (expiredAt) => {
      await write(TURN, (tx) =>
        tx.deleteFrom('operator_invites').where('expires_at', '<=', expiredAt).execute(),
      )
    },
    accept: (codeHash, joined) =>
      write(TURN, async (tx) => {
        const row = await tx
          .deleteFrom('operator_invites')
          .where('code_hash', '=', codeHash)
          .returningAll()
          .executeTakeFirst()
        if (!row) return undefined
        if (row.operator_id === null) {
          await add(tx, joined)
          return joined
        }
        const there = await find(tx, row.operator_id)
        if (!there) return undefined
        const { password } = joined
        await tx
          .updateTable('operators')
          .set(columnsOf(there.operatorId, { password }, sealed))
          .where('operator_id', '=', there.operatorId)
          .execute()
        await tx.deleteFrom('sign_ins').where('operator_id', '=', there.operatorId).execute()
        return { ...there, password }
      }),
  }
}

/** What a secret of one-time codes is sealed for: not what the password is. */
const ownerOf = (operatorId: string): string => `totp:${operatorId}`

function totpQueries({
  db,
  write,
  seal,
}: Pick<SqlContext, 'db' | 'write' | 'seal'>): Store['operators']['totp'] {
  const replaceCodes = async (
    tx: Kysely<Schema>,
    operatorId: string,
    codeHashes: readonly string[],
  ): Promise<void> => {
    await tx.deleteFrom('operator_recovery_codes').where('operator_id', '=', operatorId).execute()
    if (codeHashes.length > 0)
      await tx
        .insertInto('operator_recovery_codes')
        .values(codeHashes.map((codeHash) => ({ operator_id: operatorId, code_hash: codeHash })))
        .execute()
  }
  const secretOf = async (from: Kysely<Schema>, operatorId: string): Promise<string | undefined> => {
    const row = await from
      .selectFrom('operators')
      .select('sealed_totp')
      .where('operator_id', '=', operatorId)
      .executeTakeFirst()
    return row?.sealed_totp == null ? undefined : seal.open(row.sealed_totp, ownerOf(operatorId))
  }
  return {
    secret: (operatorId) => secretOf(db, operatorId),
    begin: (operatorId, secret) =>
      write(TURN, async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('operators')
          .set({ sealed_totp: seal.seal(secret, ownerOf(operatorId)), totp_step: null })
          .where('operator_id', '=', operatorId)
          .where('totp_since', 'is', null)
          .executeTakeFirst()
        return numUpdatedRows > 0n
      }),
    confirm: (operatorId, { secret, at, step, codeHashes }) =>
      write(TURN, async (tx) => {
        // Another browser of the operator may have begun anew.
        if ((await secretOf(tx, operatorId)) !== secret) return false
        const { numUpdatedRows } = await tx
          .updateTable('operators')
          .set({ totp_since: at, totp_step: step })
          .where('operator_id', '=', operatorId)
          .where('totp_since', 'is', null)
          .executeTakeFirst()
        if (numUpdatedRows === 0n) return false
        await replaceCodes(tx, operatorId, codeHashes)
        return true
      }),
    use: (operatorId, step) =>
      write(TURN, async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('operators')
          .set({ totp_step: step })
          .where('operator_id', '=', operatorId)
          .where('totp_since', 'is not', null)
          .where((where) => where.or([where('totp_step', 'is', null), where('totp_step', '<', step)]))
          .executeTakeFirst()
        return numUpdatedRows > 0n
      }),
    useRecoveryCode: (operatorId, codeHash) =>
      write(TURN, async (tx) => {
        const { numDeletedRows } = await tx
          .deleteFrom('operator_recovery_codes')
          .where('operator_id', '=', operatorId)
          .where('code_hash', '=', codeHash)
          .executeTakeFirst()
        return numDeletedRows > 0n
      }),
    replaceRecoveryCodes: (operatorId, codeHashes) =>
      write(TURN, async (tx) => {
        const inForce = await tx
          .selectFrom('operators')
          .select('operator_id')
          .where('operator_id', '=', operatorId)
          .where('totp_since', 'is not', null)
          .executeTakeFirst()
        if (inForce) await replaceCodes(tx, operatorId, codeHashes)
        return inForce !== undefined
      }),
    recoveryCodesLeft: async (operatorId) => {
      const { total } = await db
        .selectFrom('operator_recovery_codes')
        .select((select) => select.fn.countAll<number>().as('total'))
        .where('operator_id', '=', operatorId)
        .executeTakeFirstOrThrow()
      return total
    },
    drop: (operatorId) =>
      write(TURN, async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('operators')
          .set({ sealed_totp: null, totp_since: null, totp_step: null })
          .where('operator_id', '=', operatorId)
          .where('sealed_totp', 'is not', null)
          .executeTakeFirst()
        await replaceCodes(tx, operatorId, [])
        return numUpdatedRows > 0n
      }),
  }
}

/** Whether no other owner can sign in. */
async function isLastOwner(
  tx: Kysely<Schema>,
  { operatorId, role, externalId }: OperatorRecord,
): Promise<boolean> {
  // The provider decides about its own, and may be away: there is always an owner with a password.
  if (role !== 'owner' || externalId !== null) return false
  const other = await tx
    .selectFrom('operators')
    .select('operator_id')
    .where('role', '=', 'owner')
    .where('sealed_password', 'is not', null)
    .where('operator_id', '!=', operatorId)
    .limit(1)
    .executeTakeFirst()
  return other === undefined
}

function columnsOf(
  operatorId: string,
  { name, role, password, grantId }: OperatorChange,
  sealed: (operatorId: string, password: string | null) => string | null,
) {
  return {
    // An update needs a column; the id stays what it is.
    operator_id: operatorId,
    ...(name !== undefined && { name, name_key: keyOf(name) }),
    ...(role !== undefined && { role }),
    ...(password !== undefined && { sealed_password: sealed(operatorId, password) }),
    ...(grantId !== undefined && { grant_id: grantId }),
  }
}

function toInvite(row: Selectable<Schema['operator_invites']>): OperatorInvite {
  return {
    codeHash: row.code_hash,
    inviteId: row.invite_id,
    operatorId: row.operator_id,
    name: row.name,
    role: row.role,
    invitedBy: row.invited_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
