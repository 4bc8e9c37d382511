/** What a database must bring for the queries to stand on. */
import type { Kysely } from 'kysely'
import type { Schema } from './schema.ts'
import type { Seal } from '../secrets/seal.ts'

/** Runs one write on its own or in a group with others; resolves when it has reached the disk. */
export type RunInTransaction = <T>(work: (db: Kysely<Schema>) => Promise<T>) => Promise<T>

/** A connection to read on, and a way to write that turns a taken value into `StoreConflict`. */
export interface SqlContext {
  db: Kysely<Schema>
  write: RunInTransaction
  seal: Seal
  /** What the database calls the place of a row, for tables without a key of one column. */
  rowKey: string
}
