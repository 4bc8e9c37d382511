import { sql } from 'kysely'
import type { SqlDialect } from '../sql/dialect.ts'

/** Several transactions write at the same time; each statement sees what others have committed before it. */
export const postgresDialect: SqlDialect = {
  name: 'postgres',
  rowKey: 'ctid',
  rowOrder: 'row_number',
  serialType: 'bigint',
  bytesType: 'bytea',
  // The current time, not that of the transaction's start, because the transaction may have waited for a lock.
  now: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
  // `by default` lets a copied row keep its number.
  serial: (column) => column.primaryKey().generatedByDefaultAsIdentity(),
  forUpdate: (query) => query.forUpdate(),
  forUpdateOfFree: (query) => query.forUpdate().skipLocked(),
}
