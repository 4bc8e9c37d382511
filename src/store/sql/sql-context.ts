/** The interface between the queries and a database. */
import type { Kysely } from 'kysely'
import type { SqlDialect } from './dialect.ts'
import type { Schema } from './schema.ts'
import type { Seal } from '../secrets/seal.ts'

/** The order of a write among others. */
export interface Turn {
  /** Writes of one lane run in the order of the calls; writes of other lanes may overtake them. */
  lane: string
  /** Names of locks that this write holds until it is committed. */
  holds?: readonly string[]
  /** The meeting whose home alone may write this, if several nodes share the database. */
  fence?: string | undefined
}

/**
 * Runs a write in a transaction, alone or in a group with others; resolves when it has reached the disk. The work may run
 * again after a rollback, so it must have no other effects.
 */
export type RunInTransaction = <T>(turn: Turn, work: (db: Kysely<Schema>) => Promise<T>) => Promise<T>

/** A connection for reading, and a way to write that throws `StoreConflict` if a unique value is taken. */
export interface SqlContext {
  db: Kysely<Schema>
  write: RunInTransaction
  /** Resolves when the writes so far have been committed or have failed, or after a moment. */
  settled: () => Promise<void>
  seal: Seal
  /** Of several nodes that share the database, this one; null: this server is alone. */
  nodeId: string | null
  dialect: SqlDialect
}
