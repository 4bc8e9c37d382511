/** Revoked tokens, sign-ins, and small values. */
import { sql, type Selectable } from 'kysely'
import { recordChange } from '../changes.ts'
import type { Schema } from '../schema.ts'
import type { SqlContext } from '../sql-context.ts'
import type { SignInRecord, Store } from '../../store.ts'

export function revokedTokenQueries(context: SqlContext): Store['revokedTokens'] {
  const { db, write, dialect } = context
  return {
    add: async ({ projectId, tokenId, revokedAt }) => {
      await write({ lane: 'access' }, async (tx) => {
        await tx
          .insertInto('revoked_tokens')
          .values({ project_id: projectId, token_id: tokenId, revoked_at: revokedAt })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        await recordChange(tx, context)
      })
    },
    list: async () => {
      const rows = await db
        .selectFrom('revoked_tokens')
        .selectAll()
        .orderBy('revoked_at')
        .orderBy(sql.ref(dialect.rowOrder))
        .execute()
      return rows.map((row) => ({
        projectId: row.project_id,
        tokenId: row.token_id,
        revokedAt: row.revoked_at,
      }))
    },
  }
}

export function signInQueries({ db, write }: SqlContext): Store['signIns'] {
  return {
    add: async ({ tokenHash, operatorId, address, browser, createdAt, lastSeenAt, expiresAt }) => {
      await write({ lane: 'access' }, (tx) =>
        tx
          .insertInto('sign_ins')
          .values({
            token_hash: tokenHash,
            operator_id: operatorId,
            address,
            browser,
            created_at: createdAt,
            last_seen_at: lastSeenAt,
            expires_at: expiresAt,
          })
          .execute(),
      )
    },
    find: async (tokenHash) => {
      const row = await db
        .selectFrom('sign_ins')
        .selectAll()
        .where('token_hash', '=', tokenHash)
        .executeTakeFirst()
      return row && toSignIn(row)
    },
    list: async (operatorId) => {
      const all = db.selectFrom('sign_ins').selectAll().orderBy('created_at', 'desc').orderBy('token_hash')
      const wanted = operatorId === undefined ? all : all.where('operator_id', '=', operatorId)
      return (await wanted.execute()).map(toSignIn)
    },
    seen: async (tokenHash, at) => {
      await write({ lane: 'access' }, (tx) =>
        tx.updateTable('sign_ins').set({ last_seen_at: at }).where('token_hash', '=', tokenHash).execute(),
      )
    },
    drop: async (tokenHash) => {
      await write({ lane: 'access' }, (tx) =>
        tx.deleteFrom('sign_ins').where('token_hash', '=', tokenHash).execute(),
      )
    },
    dropOf: async (operatorId) => {
      await write({ lane: 'access' }, (tx) =>
        tx.deleteFrom('sign_ins').where('operator_id', '=', operatorId).execute(),
      )
    },
    dropAll: async (expiredAt) => {
      await write({ lane: 'access' }, (tx) => {
        const all = tx.deleteFrom('sign_ins')
        return (expiredAt === undefined ? all : all.where('expires_at', '<=', expiredAt)).execute()
      })
    },
  }
}

function toSignIn(row: Selectable<Schema['sign_ins']>): SignInRecord {
  return {
    tokenHash: row.token_hash,
    operatorId: row.operator_id,
    address: row.address ?? '',
    browser: row.browser ?? '',
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at ?? row.created_at,
    expiresAt: row.expires_at,
  }
}

export function valueQueries({ db, write }: SqlContext): Store['values'] {
  return {
    get: async (name) =>
      (await db.selectFrom('stored_values').select('value').where('name', '=', name).executeTakeFirst())
        ?.value,
    set: async (name, value) => {
      await write({ lane: 'values' }, (tx) =>
        tx
          .insertInto('stored_values')
          .values({ name, value })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
          .execute(),
      )
    },
    setIfAbsent: (name, value) =>
      write({ lane: 'values' }, async (tx) => {
        await tx
          .insertInto('stored_values')
          .values({ name, value })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        // A statement of its own, which sees a value that was committed while the insert waited for it.
        const row = await tx
          .selectFrom('stored_values')
          .select('value')
          .where('name', '=', name)
          .executeTakeFirstOrThrow()
        return row.value
      }),
    compareAndSet: (name, expected, value) =>
      write({ lane: 'values' }, async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('stored_values')
          .set({ value })
          .where('name', '=', name)
          .where('value', '=', expected)
          .executeTakeFirst()
        return numUpdatedRows > 0n
      }),
  }
}

export function secretQueries(context: SqlContext): Store['secrets'] {
  const values = valueQueries(context)
  const place = (name: string): string => `secret:${name}`
  return {
    get: async (name) => {
      const sealed = await values.get(place(name))
      return sealed === undefined ? undefined : context.seal.open(sealed, place(name))
    },
    set: (name, value) => values.set(place(name), context.seal.seal(value, place(name))),
    setIfAbsent: async (name, value) => {
      const sealed = await values.setIfAbsent(place(name), context.seal.seal(value, place(name)))
      return context.seal.open(sealed, place(name))
    },
  }
}
