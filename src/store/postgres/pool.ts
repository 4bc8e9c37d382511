/** Connections to PostgreSQL: what fails because the database does says so, and what may be broken is not used again. */
import { PostgresDialect, PostgresDriver, type PostgresDialectConfig, type PostgresPool } from 'kysely'
import pg from 'pg'
import { checked } from '../sql/parameters.ts'
import { asUnavailable, isStalePlan } from './errors.ts'
import { troubleOf } from '../unavailable.ts'
import { GatheringSocket } from './gathering-socket.ts'

export interface PoolOptions {
  url: string
  connections: number
  /** By which the connections are known to others. Default: that of a server. */
  applicationName?: string | undefined
  /** How long one statement may take; without, for ever. */
  statementMs?: number
}

/** By which connections of a server are known to others. */
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
  const { url, connections, statementMs, applicationName = APPLICATION_NAME } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_PATIENCE_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 3000,
    pipeline: true,
    stream: () => new GatheringSocket(),
    ...(statementMs !== undefined && {
      statement_timeout: statementMs,
      query_timeout: statementMs + ANSWER_PATIENCE_MS,
      lock_timeout: LOCK_PATIENCE_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    }),
    types,
  })
  pool.on('error', onIdleError)
  pool.on('connect', (client) => {
    // A plan that was made for empty tables would be kept until the database next looks at their sizes. Where this fails, so does
    // the first statement.
    client.query('set plan_cache_mode = force_custom_plan').catch(() => undefined)
  })
  return pool
}

/** Where connections come from. */
export interface Connections {
  connect(): Promise<Connection>
  end(): Promise<void>
}

/** All that is asked of a connection here; nothing reads by cursor. */
export interface Connection {
  /** Does not wait for the answers to earlier statements. Of several statements in one text, the result of the last. */
  query(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>
  release(discard?: boolean): void
}

class Driver extends PostgresDriver {
  override async rollbackTransaction(
    connection: Parameters<PostgresDriver['rollbackTransaction']>[0],
  ): Promise<void> {
    // Where it cannot be undone, the connection is gone, and the transaction with it; why is what the caller is to hear.
    await super.rollbackTransaction(connection).catch(() => undefined)
  }
}

/** Sends the statements of Kysely over these connections. */
export class PoolDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(connections: Connections) {
    const config = { pool: { ...connections, options: {} } as unknown as PostgresPool }
    super(config)
    this.#config = config
  }

  override createDriver(): Driver {
    return new Driver(this.#config)
  }
}

/** Connections of a pool that tell trouble as such. */
export function connectionsOf(pool: pg.Pool): Connections {
  const known = new WeakMap<pg.PoolClient, PoolConnection>()
  const prepared = new Prepared()
  return {
    connect: async () => {
      const client = await pool.connect().catch((error: unknown) => {
        throw asUnavailable(error)
      })
      const ours = known.get(client) ?? new PoolConnection(client, prepared)
      known.set(client, ours)
      return ours
    },
    end: () => pool.end(),
  }
}

/** A statement that was prepared is parsed once for each connection. Those beyond are parsed anew each time. */
const MAX_PREPARED = 500

/** Under which names the database knows statements. */
class Prepared {
  /** How often the tables have changed under them. */
  generation = 0
  readonly #names = new Map<string, string>()

  nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= MAX_PREPARED) return known
    const name = `anteroom_${this.generation}_${this.#names.size}`
    this.#names.set(text, name)
    return name
  }

  /** Has each statement prepared anew that is sent from now on. */
  renew(generation: number): void {
    // All connections find out; the first of them is enough.
    if (generation !== this.generation) return
    this.generation++
    this.#names.clear()
  }
}

class PoolConnection implements Connection {
  readonly #client: pg.PoolClient
  readonly #prepared: Prepared
  readonly #generation: number
  #broken = false

  constructor(client: pg.PoolClient, prepared: Prepared) {
    this.#client = client
    this.#prepared = prepared
    this.#generation = prepared.generation
    // While it is in use, what breaks it is told by the query that fails; without a listener it would end the process.
    client.on('error', () => {
      this.#broken = true
    })
  }

  async query(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
    const { generation } = this.#prepared
    try {
      return await this.#send(text, values)
    } catch (error) {
      if (isStalePlan(error)) {
        this.#prepared.renew(generation)
        // A transaction was undone with all that it did; who began it begins it again.
        if (this.#client.getTransactionStatus() === 'I') return await this.query(text, values)
      }
      const told = asUnavailable(error)
      const trouble = troubleOf(told)
      // After a lost answer the next one would be taken for it.
      if (trouble === 'away') this.#broken = true
      throw told
    }
  }

  async #send(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    // Without values it may be several statements, which cannot be prepared.
    if (values.length === 0) return lastOf(await this.#client.query(text))
    const name = this.#prepared.nameOf(text)
    return await this.#client.query({ name, text, values: [...checked(values)] })
  }

  release(discard?: boolean): void {
    // What the database keeps under old names goes with the connection.
    const isOld = this.#generation !== this.#prepared.generation
    this.#client.release(this.#broken || isOld || discard === true)
  }
}

function lastOf(result: pg.QueryResult | pg.QueryResult[]): pg.QueryResult {
  return Array.isArray(result) ? result.at(-1)! : result
}
