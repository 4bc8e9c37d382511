/** Connections to PostgreSQL. Failures of the database are reported as such, and a connection that may be broken is not reused. */
import { PostgresDialect, PostgresDriver, type PostgresDialectConfig, type PostgresPool } from 'kysely'
import pg from 'pg'
import { checked } from '../sql/parameters.ts'
import { asUnavailable, isStalePlan } from './errors.ts'
import { troubleOf } from '../unavailable.ts'
import { GatheringSocket } from './gathering-socket.ts'

export interface PoolOptions {
  url: string
  connections: number
  /** The `application_name` of the connections. Default: that of a server. */
  applicationName?: string | undefined
  /** The timeout of a statement. Default: none. */
  statementMs?: number
  /** How long to wait for a connection. Default: 4 seconds, since a participant waits for it. */
  connectMs?: number
}

/** The `application_name` of a server's connections. */
export const APPLICATION_NAME = 'anteroom'
/** The margin above the server's own timeout after which an answer counts as lost. */
const ANSWER_PATIENCE_MS = 2000
const CONNECT_PATIENCE_MS = 4000
/** The same while nobody waits: a machine that starts everything at once may be slow. */
export const START_PATIENCE_MS = 15_000
/** The longest wait for a row that another transaction has locked. */
const LOCK_PATIENCE_MS = 4000
/** The longest time that a transaction may be idle, so that a program that hangs does not block others. */
const IDLE_IN_TRANSACTION_MS = 15_000
const IDLE_MS = 60_000
/** Parses int8 and numeric as numbers: counts, sums and instants stay within the safe integers. */
const types = new pg.TypeOverrides()
for (const one of [pg.types.builtins.INT8, pg.types.builtins.NUMERIC]) types.setTypeParser(one, Number)

/** @param onIdleError called when an idle connection fails */
export function openPool(options: PoolOptions, onIdleError: (error: unknown) => void): pg.Pool {
  const { url, connections, statementMs, applicationName = APPLICATION_NAME } = options
  const { connectMs = CONNECT_PATIENCE_MS } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: applicationName,
    connectionTimeoutMillis: connectMs,
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
    // A generic plan made while tables were empty would be kept until the next analyze. If this statement fails, so does
    // the first one of the caller.
    client.query('set plan_cache_mode = force_custom_plan').catch(() => undefined)
  })
  return pool
}

/** A source of connections. */
export interface Connections {
  connect(): Promise<Connection>
  end(): Promise<void>
}

/** The part of a connection that is used; nothing reads with a cursor. */
export interface Connection {
  /** Does not wait for the answers to earlier statements. Of several statements in one text, the result of the last. */
  query(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>
  release(discard?: boolean): void
}

class Driver extends PostgresDriver {
  override async rollbackTransaction(
    connection: Parameters<PostgresDriver['rollbackTransaction']>[0],
  ): Promise<void> {
    // If the rollback fails, the connection is closed, and the transaction with it. The caller needs the first error.
    await super.rollbackTransaction(connection).catch(() => undefined)
  }
}

/** The Kysely driver over these connections. */
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

/** A pool whose connections turn failures of the database into STORE_UNAVAILABLE. */
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

/** The most prepared statements; further ones are parsed at each use. */
const MAX_PREPARED = 500

/** The names of prepared statements. */
class Prepared {
  /** Counts the changes of tables that made prepared statements invalid. */
  generation = 0
  readonly #names = new Map<string, string>()

  nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= MAX_PREPARED) return known
    const name = `anteroom_${this.generation}_${this.#names.size}`
    this.#names.set(text, name)
    return name
  }

  /** Prepares every statement again at its next use. */
  renew(generation: number): void {
    // Every connection reports the change; act on the first report only.
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
    // While a connection is in use, the failing query reports what broke it; without a listener the error would end the process.
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
        // The transaction was rolled back; its owner runs it again.
        if (this.#client.getTransactionStatus() === 'I') return await this.query(text, values)
      }
      const told = asUnavailable(error)
      const trouble = troubleOf(told)
      // After a lost answer, the next answer would be mistaken for it.
      if (trouble === 'away') this.#broken = true
      throw told
    }
  }

  async #send(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    // A text without values may hold several statements, which cannot be prepared.
    if (values.length === 0) return lastOf(await this.#client.query(text))
    const name = this.#prepared.nameOf(text)
    return await this.#client.query({ name, text, values: [...checked(values)] })
  }

  release(discard?: boolean): void {
    // The old prepared statements end with the connection.
    const isOld = this.#generation !== this.#prepared.generation
    this.#client.release(this.#broken || isOld || discard === true)
  }
}

function lastOf(result: pg.QueryResult | pg.QueryResult[]): pg.QueryResult {
  return Array.isArray(result) ? result.at(-1)! : result
}
