/** What differs between the databases that the queries run on. */
import type { ColumnDataType, ColumnDefinitionBuilder, SelectQueryBuilder } from 'kysely'

export interface SqlDialect {
  readonly name: 'sqlite' | 'postgres'
  /** What the database calls the place of a row, for tables without a key of one column. */
  readonly rowKey: string
  /** The column by which rows are in the order in which they were inserted. */
  readonly rowOrder: string
  /** Type of a number that `serial` counts. */
  readonly serialType: ColumnDataType
  readonly bytesType: ColumnDataType
  /** Makes a column the primary key, and counts it up with each row. */
  serial(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder
  /** Holds the rows that a transaction reads until it ends. */
  forUpdate<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O>
  /** The same, and passes over rows that another transaction holds. */
  forUpdateOfFree<DB, TB extends keyof DB, O>(
    query: SelectQueryBuilder<DB, TB, O>,
  ): SelectQueryBuilder<DB, TB, O>
}
