import type { SqlDialect } from '../sql/dialect.ts'

/** Several transactions write at the same time; each statement sees what others have committed before it. */
export const postgresDialect: SqlDialect = {
  name: 'postgres',
  rowKey: 'ctid',
  rowOrder: 'row_number',
  serialType: 'bigint',
  bytesType: 'bytea',
  // `by default` lets a copied row keep its number.
  serial: (column) => column.primaryKey().generatedByDefaultAsIdentity(),
  forUpdate: (query) => query.forUpdate(),
  forUpdateOfFree: (query) => query.forUpdate().skipLocked(),
}
