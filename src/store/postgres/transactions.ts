/** Transactions that write to PostgreSQL: with few round trips, and with an end that is known even where its answer was lost. */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, sql } from 'kysely'
import { Refusal } from '../../protocol/errors.ts'
import type { Schema } from '../sql/schema.ts'
import type { Transact } from '../sql/write-queue.ts'
import { troubleOf } from '../unavailable.ts'
import { PoolDialect, type Connection, type Connections } from './pool.ts'

/** How long the answer to a commit that was lost is asked for. */
const FATE_PATIENCE_MS = 60_000
const FATE_RETRY_MS = 250

/** Thrown in the place of what a COMMIT failed with when its answer was lost: whether it happened is not known. */
class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown'
}

/** The transactions of one lane, one after the other. */
export class Transactions {
  readonly #writers: Connections
  readonly #reader: Kysely<Schema>
  readonly #isClosing: () => boolean
  /** The connection of the transaction that is open. */
  #connection: Connection | undefined
  /** Its statements. Unlike a transaction of Kysely it does not wait for one answer before it sends the next. */
  readonly #db: Kysely<Schema>
  /** What the last commit failed with while it is not known whether it happened. */
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

  /** @throws {Refusal} STORE_UNAVAILABLE while what comes next would have to wait for news of a commit */
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
        // A connection that was left from before the database was started anew.
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
      // Where it cannot be undone, the connection is gone, and the transaction with it; why is what the caller is to hear.
      await connection.query('rollback').catch(() => undefined)
      throw error
    } finally {
      this.#connection = undefined
      connection.release()
    }
  }

  /** Whether a transaction was committed, asked until the database knows. @throws {Refusal} STORE_UNAVAILABLE */
  async #happened(transaction: string, cause: unknown): Promise<boolean> {
    const askedAt = performance.now()
    const unsure = new Refusal('STORE_UNAVAILABLE', { reason: 'away', cause })
    this.#unsure = unsure
    try {
      while (performance.now() - askedAt < FATE_PATIENCE_MS && !this.#isClosing()) {
        const status = await fateOf(this.#reader, transaction).catch((error: unknown) => {
          if (troubleOf(error)) return 'unknown'
          // As anything else the error would let the writes run again, though they may have been committed.
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

/** Begins a transaction and takes what it holds, in an order that all agree on, in one round trip. Its name comes back. */
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
  // What the database makes of a commit after a statement that failed.
  if (command !== 'COMMIT') throw new Error('the transaction was rolled back')
}

async function fateOf(db: Kysely<Schema>, transaction: string): Promise<string> {
  const { rows } = await sql<{ status: string | null }>`
    select pg_xact_status(${transaction}::xid8) as status`.execute(db)
  const status = rows[0]!.status
  if (status === null) throw new Error('The database no longer knows the transaction.')
  return status
}
