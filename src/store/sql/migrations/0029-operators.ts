/** Adds the operators, the links that invite them, and whose sign-in each is. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('operators')
    .addColumn('operator_id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('name_key', 'text', (column) => column.notNull().unique())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('sealed_password', 'text')
    .addColumn('grant_id', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('operator_invites')
    .addColumn('code_hash', 'text', (column) => column.primaryKey())
    .addColumn('invite_id', 'text', (column) => column.notNull().unique())
    .addColumn('operator_id', 'text')
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('invited_by', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  for (const name of ['operator_id', 'address', 'browser'])
    await db.schema.alterTable('sign_ins').addColumn(name, 'text').execute()
  await db.schema.alterTable('sign_ins').addColumn('last_seen_at', 'bigint').execute()
}
