/**
 * Transactions that write to PostgreSQL, with few round trips, and with a known outcome even if the answer to a commit
 * is lost.
 */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, sql } from 'kysely'
import { Refusal } from '../../protocol/errors.ts'
import type { Schema } from '../sql/schema.ts'
import type { Transact } from '../sql/write-queue.ts'
import { troubleOf } from '../unavailable.ts'
import { PoolDialect, type Connection, type Connections } from './pool.ts'

/** How long the outcome of a commit is queried after its answer was lost. */
const FATE_PATIENCE_MS = 60_000
const FATE_RETRY_MS = 250

/** Replaces the error of a COMMIT whose answer was lost: its outcome is unknown. */
class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown'
}

/** The transactions of one lane, one after the other. */
export class Transactions {
  readonly #writers: Connections
  readonly #reader: Kysely<Schema>
  readonly #isClosing: () => boolean
  /** The connection of the open transaction. */
  #connection: Connection | undefined
  /**
   * Runs the statements. Unlike a transaction of Kysely, it sends a statement without waiting for the previous answer.
   */
  readonly #db: Kysely<Schema>
  /** The error of the last commit while its outcome is unknown. */
  #unsure: Refusal | undefined

  constructor(writers: Connections, reader: Kysely<Schema>, isClosing: () => boolean) {
    this.#writers = writers
    this.#reader = reader
    this.#isClosing = isClosing
    const open: Connection = {
      query: (...statement) => this.#connection!.query(...statement),
      release: () => undefined,
    }
    this.#db = new Kysely<Schema>({
      dialect: new PoolDialect({ connect: () => Promise.resolve(open), end: () => Promise.resolve() }),
    })
  }

  /** @throws {Refusal} STORE_UNAVAILABLE if the outcome of an earlier commit is still unknown */
  assertSure(): void {
    if (this.#unsure) throw this.#unsure
  }

  readonly run: Transact<Schema> = async (holds, work) => {
    for (let retried = false; ;) {
      let transaction: string | undefined
      let value: { of: Awaited<ReturnType<typeof work>> } | undefined
      try {
        await this.#inTransaction(holds, async (name) => {
          transaction = name
          value = { of: await work(this.#db) }
        })
        return value!.of
      } catch (error) {
        if (error instanceof CommitUnknown && value !== undefined) {
          if (await this.#happened(transaction!, error.cause)) return value.of
          continue
        }
        // The connection was opened before the database was restarted.
        if (troubleOf(error) !== 'away' || retried) throw error
        retried = true
      }
    }
  }

  async #inTransaction(
    holds: readonly string[],
    work: (transaction: string) => Promise<void>,
  ): Promise<void> {
    const connection = await this.#writers.connect()
    this.#connection = connection
    try {
      const { rows } = await connection.query(beginning(holds))
      await work((rows as [{ name: string }])[0].name)
      await commit(connection)
    } catch (error) {
      // If the rollback fails, the connection is closed, and the transaction with it. The caller needs the first error.
      await connection.query('rollback').catch(() => undefined)
      throw error
    } finally {
      this.#connection = undefined
      connection.release()
    }
  }

  /** Queries the outcome of a commit until the database knows it. @throws {Refusal} STORE_UNAVAILABLE */
  async #happened(transaction: string, cause: unknown): Promise<boolean> {
    const askedAt = performance.now()
    const unsure = new Refusal('STORE_UNAVAILABLE', { reason: 'away', cause })
    this.#unsure = unsure
    try {
      while (performance.now() - askedAt < FATE_PATIENCE_MS && !this.#isClosing()) {
        const status = await fateOf(this.#reader, transaction).catch((error: unknown) => {
          if (troubleOf(error)) return 'unknown'
          // After any other error, the writes would run again, although they may have been committed.
          throw new Refusal('STORE_UNAVAILABLE', { reason: 'failing', cause: error })
        })
        if (status === 'committed') return true
        if (status === 'aborted') return false
        await delay(FATE_RETRY_MS)
      }
    } finally {
      this.#unsure = undefined
    }
    throw unsure
  }
}

/**
 * Begins a transaction and takes its locks, in an order that is the same for all, in one round trip. Returns the id of
 * the transaction.
 */
function beginning(holds: readonly string[]): string {
  const begin = 'begin; select pg_current_xact_id()::text as name'
  if (holds.length === 0) return begin
  const keys = [...new Set(holds.map(lockOf))].sort((a, b) => (a < b ? -1 : 1))
  return `${begin}, count(pg_advisory_xact_lock(key)) from unnest('{${keys.join()}}'::bigint[]) as key`
}

function lockOf(name: string): bigint {
  return createHash('sha256').update(name).digest().readBigInt64BE()
}

async function commit(connection: Connection): Promise<void> {
  const { command } = await connection.query('commit').catch((cause: unknown) => {
    throw troubleOf(cause) === 'away'
      ? new CommitUnknown('The answer to a commit was lost.', { cause })
      : cause
  })
  // The database rolls back at COMMIT if a statement has failed.
  if (command !== 'COMMIT') throw new Error('the transaction was rolled back')
}

async function fateOf(db: Kysely<Schema>, transaction: string): Promise<string> {
  const { rows } = await sql<{ status: string | null }>`
    select pg_xact_status(${transaction}::xid8) as status`.execute(db)
  const status = rows[0]!.status
  if (status === null) throw new Error('The database no longer knows the transaction.')
  return status
}
