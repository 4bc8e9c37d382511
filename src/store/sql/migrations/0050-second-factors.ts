import type { Kysely } from 'kysely'

/** Adds the second factor of operators, and the codes that stand in for it once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('operators').addColumn('sealed_totp', 'text').execute()
  for (const name of ['totp_since', 'totp_step'])
    await db.schema.alterTable('operators').addColumn(name, 'bigint').execute()
  await db.schema
    .createTable('operator_recovery_codes')
    .addColumn('operator_id', 'text', (column) => column.notNull())
    .addColumn('code_hash', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('operator_recovery_codes_key', ['operator_id', 'code_hash'])
    .execute()
}
