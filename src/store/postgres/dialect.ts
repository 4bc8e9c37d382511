import type { SqlDialect } from '../sql/dialect.ts'

/** Several transactions write at once, each seeing what others committed before each of its statements. */
export const postgresDialect: SqlDialect = {
  name: 'postgres',
  rowKey: 'ctid',
  rowOrder: 'row_number',
  serialType: 'bigint',
  bytesType: 'bytea',
  // A copied row keeps its number.
  serial: (column) => column.primaryKey().generatedByDefaultAsIdentity(),
  forUpdate: (query) => query.forUpdate(),
  forUpdateOfFree: (query) => query.forUpdate().skipLocked(),
}
