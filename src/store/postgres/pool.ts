/** Connections to PostgreSQL: what fails because the database does says so, and what may be broken is not used again. */
import {
  PostgresDialect,
  PostgresDriver,
  type PostgresDialectConfig,
  type PostgresPool,
  type PostgresPoolClient,
} from 'kysely'
import pg from 'pg'
import { checked } from '../sql/parameters.ts'
import { asUnavailable } from './errors.ts'
import { troubleOf } from '../unavailable.ts'

export interface PoolOptions {
  url: string
  connections: number
  /** How long one statement may take; without, for ever. */
  statementMs?: number
}

/** By which connections of ours are known to others. */
export const APPLICATION_NAME = 'anteroom'
/** An answer that is lost on the way is waited for so much longer than the server would work on it. */
const ANSWER_PATIENCE_MS = 2000
const CONNECT_PATIENCE_MS = 4000
/** How long a row may be waited for that another transaction holds. */
const LOCK_PATIENCE_MS = 4000
/** A program that hangs inside a transaction must not hold up others for longer. */
const IDLE_IN_TRANSACTION_MS = 15_000
const IDLE_MS = 60_000
/** Counts, sums and instants are numbers that a `number` holds exactly. */
const types = new pg.TypeOverrides()
for (const one of [pg.types.builtins.INT8, pg.types.builtins.NUMERIC]) types.setTypeParser(one, Number)

/** @param onIdleError told when a connection fails that nobody uses */
export function openPool(options: PoolOptions, onIdleError: (error: unknown) => void): pg.Pool {
  const { url, connections, statementMs } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: CONNECT_PATIENCE_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 3000,
    ...(statementMs !== undefined && {
      statement_timeout: statementMs,
      query_timeout: statementMs + ANSWER_PATIENCE_MS,
      lock_timeout: LOCK_PATIENCE_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    }),
    types,
  })
  pool.on('error', onIdleError)
  return pool
}

/** Thrown in the place of what a COMMIT failed with when its answer was lost: whether it happened is not known. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown'
}

type Connection = Parameters<PostgresDriver['rollbackTransaction']>[0]

class Driver extends PostgresDriver {
  override async commitTransaction(connection: Connection): Promise<void> {
    try {
      await super.commitTransaction(connection)
    } catch (cause) {
      throw troubleOf(cause) === 'away'
        ? new CommitUnknown('The answer to a commit was lost.', { cause })
        : cause
    }
  }

  override async rollbackTransaction(connection: Connection): Promise<void> {
    // Where it cannot be undone, the connection is gone, and the transaction with it; why is what the caller is to hear.
    await super.rollbackTransaction(connection).catch(() => undefined)
  }
}

export class PoolDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(pool: pg.Pool) {
    const config = { pool: tellingTrouble(pool) }
    super(config)
    this.#config = config
  }

  override createDriver(): Driver {
    return new Driver(this.#config)
  }
}

function tellingTrouble(pool: pg.Pool): PostgresPool {
  const known = new WeakMap<pg.PoolClient, Client>()
  return {
    connect: async () => {
      const client = await pool.connect().catch((error: unknown) => {
        throw asUnavailable(error)
      })
      const ours = known.get(client) ?? new Client(client)
      known.set(client, ours)
      return ours as unknown as PostgresPoolClient
    },
    end: () => pool.end(),
    options: {},
  }
}

/** All that is asked of a connection here; nothing reads by cursor. */
class Client implements Omit<PostgresPoolClient, 'query'> {
  readonly #client: pg.PoolClient
  #broken = false

  constructor(client: pg.PoolClient) {
    this.#client = client
    // While it is in use, what breaks it is told by the query that fails; without a listener it would end the process.
    client.on('error', () => {
      this.#broken = true
    })
  }

  async query(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
    try {
      return await this.#client.query(text, [...checked(values)])
    } catch (error) {
      const told = asUnavailable(error)
      const trouble = troubleOf(told)
      // After a lost answer the next one would be taken for it.
      if (trouble === 'away') this.#broken = true
      throw told
    }
  }

  release(discard?: boolean): void {
    this.#client.release(this.#broken || discard === true)
  }
}
