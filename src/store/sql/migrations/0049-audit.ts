import { sql, type Kysely } from 'kysely'
import type { SqlDialect } from '../dialect.ts'

/**
 * Adds the audit log. Triggers refuse every change of an entry, and deleting one that is not older than what retention has
 * written into `audit_retention` in the same transaction.
 */
export async function up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  await db.schema
    .createTable('audit_entries')
    .addColumn('number', dialect.serialType, (column) => dialect.serial(column))
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('actor_id', 'text')
    .addColumn('actor_name', 'text')
    .addColumn('role', 'text')
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('code', 'text')
    .addColumn('project_id', 'text')
    .addColumn('meeting_id', 'text')
    .addColumn('subject', 'text')
    .addColumn('facts', 'text', (column) => column.notNull())
    .addColumn('address', 'text')
    .addColumn('request_id', 'text')
    .execute()
  for (const column of ['at', 'actor_id', 'action', 'subject', 'meeting_id'])
    await db.schema
      .createIndex(`audit_entries_by_${column}`)
      .on('audit_entries')
      .columns([column, 'number'])
      .execute()
  await db.schema
    .createTable('audit_retention')
    .addColumn('before', 'bigint', (column) => column.notNull())
    .execute()
  await (dialect.name === 'postgres' ? guardInPostgres(db) : guardInSqlite(db))
}

async function guardInSqlite(db: Kysely<unknown>): Promise<void> {
  await sql`create trigger audit_entries_unchanged before update on audit_entries
    begin select raise(abort, 'an entry of the audit log is never changed'); end`.execute(db)
  await sql`create trigger audit_entries_kept before delete on audit_entries
    when not exists (select 1 from audit_retention where old.at < "before")
    begin select raise(abort, 'an entry of the audit log is deleted by retention alone'); end`.execute(db)
}

async function guardInPostgres(db: Kysely<unknown>): Promise<void> {
  await sql`create function audit_entries_guard() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' then
        if exists (select 1 from audit_retention where old.at < "before") then
          return old;
        end if;
        raise exception 'an entry of the audit log is deleted by retention alone';
      end if;
      raise exception 'an entry of the audit log is never changed';
    end $$`.execute(db)
  await sql`create trigger audit_entries_guard before update or delete on audit_entries
    for each row execute function audit_entries_guard()`.execute(db)
  await sql`create trigger audit_entries_kept before truncate on audit_entries
    for each statement execute function audit_entries_guard()`.execute(db)
}
