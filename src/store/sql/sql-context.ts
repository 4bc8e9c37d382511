/** What the queries need from a database. */
import type { Kysely } from 'kysely'
import type { Schema } from './schema.ts'
import type { Seal } from '../secrets/seal.ts'

/** Runs a write in a transaction, alone or in a group with others; resolves when it has reached the disk. */
export type RunInTransaction = <T>(work: (db: Kysely<Schema>) => Promise<T>) => Promise<T>

/** A connection for reading, and a way to write that throws `StoreConflict` if a unique value is taken. */
export interface SqlContext {
  db: Kysely<Schema>
  write: RunInTransaction
  seal: Seal
  /** The database's own name for a row's position, for tables whose key has more than one column. */
  rowKey: string
}
