import type { SqlDialect } from '../sql/dialect.ts'

/** One transaction writes at a time, so that rows need no locks. */
export const sqliteDialect: SqlDialect = {
  name: 'sqlite',
  rowKey: 'rowid',
  rowOrder: 'rowid',
  serialType: 'integer',
  bytesType: 'blob',
  now: undefined,
  serial: (column) => column.primaryKey().autoIncrement(),
  forUpdate: (query) => query,
  forUpdateOfFree: (query) => query,
}
