/** The differences between databases that the queries depend on. */
import type { ColumnDataType, ColumnDefinitionBuilder, RawBuilder, SelectQueryBuilder } from 'kysely'

export interface SqlDialect {
  readonly name: 'sqlite' | 'postgres'
  /** The database's name for the position of a row, for tables without a primary key of one column. */
  readonly rowKey: string
  /** The column that gives the order of insertion. */
  readonly rowOrder: string
  /** The type of a number that `serial` counts. */
  readonly serialType: ColumnDataType
  readonly bytesType: ColumnDataType
  /** The clock of the database in ms since the epoch, if several servers with clocks of their own may use it. */
  readonly now: RawBuilder<number> | undefined
  /** Makes a column the primary key, with a number that grows with each row. */
  serial(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder
  /** Locks the rows that a transaction reads until it ends. */
  forUpdate<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O>
  /** Like `forUpdate`, but skips rows that another transaction has locked. */
  forUpdateOfFree<DB, TB extends keyof DB, O>(
    query: SelectQueryBuilder<DB, TB, O>,
  ): SelectQueryBuilder<DB, TB, O>
}
