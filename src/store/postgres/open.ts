/** The store in PostgreSQL. */
import { Kysely, sql } from 'kysely'
import { StartError } from '../../errors.ts'
import type { Fence } from '../cluster.ts'
import type { OnTrouble, Store, StoreTrouble } from '../store.ts'
import { StoreConflict } from '../problem.ts'
import { SealBroken, type Seal } from '../secrets/seal.ts'
import { changesIn } from '../sql/changes.ts'
import { HALF_COPY_TABLE, halfCopy } from '../sql/half-copy.ts'
import {
  canWorkAfter,
  FIRST_MIGRATION,
  migrate,
  MIGRATION_TABLE,
  takenIn,
  takingAway,
} from '../sql/migrations.ts'
import { proveSeal, SEAL_PROBE, storeOver } from '../sql/queries.ts'
import { fileQueries } from '../sql/queries/files.ts'
import type { Schema } from '../sql/schema.ts'
import type { RunInTransaction } from '../sql/sql-context.ts'
import { WriteQueue, type OnCommit } from '../sql/write-queue.ts'
import { troubleOf } from '../unavailable.ts'
import { postgresDialect } from './dialect.ts'
import { isUniqueViolation, nameOf, problem } from './errors.ts'
import { fenced } from './fenced.ts'
import { APPLICATION_NAME, connectionsOf, openPool, PoolDialect, START_PATIENCE_MS } from './pool.ts'
import { Transactions } from './transactions.ts'

/** In the form of `server_version_num`. */
const OLDEST_VERSION = 14_00_00
const READERS = 8
/** How many transactions write at the same time. More of them would each hold fewer writes, at the same cost. */
const LANES = 2
const READ_MS = 4000
const WRITE_MS = 8000

export interface PostgresOptions {
  url: string
  /** Returns the key. @param inUse whether the database holds a store already */
  seal: (inUse: boolean) => Promise<Seal>
  /** Whether to create a store in an empty database. */
  create: boolean
  /** The folder of shared files of a server that is alone; nodes keep them in the database. */
  files: Store['files']
  nodeId?: string | undefined
  /** The epochs under which this process writes, if it is one of several nodes. */
  fence?: Fence | undefined
  onCommit?: OnCommit | undefined
  onTrouble?: OnTrouble | undefined
}

/** @throws {StartError} */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const {
    url,
    create,
    files,
    nodeId = null,
    onCommit = () => undefined,
    onTrouble = () => undefined,
  } = options
  const name = nameOf(url)
  await preparePostgres(url, { create })
  // A failed idle connection is replaced at the next use.
  const connect = (connections: number, statementMs: number) =>
    connectionsOf(openPool({ url, connections, statementMs }, () => undefined))
  const reader = new Kysely<Schema>({ dialect: new PoolDialect(connect(READERS, READ_MS)) })
  const writers = connect(LANES, WRITE_MS)
  const destroy = () => Promise.all([reader.destroy(), writers.end()])
  let closing = false

  let trouble: StoreTrouble | undefined
  const isIn = (now: StoreTrouble | undefined, cause?: unknown): void => {
    if (trouble !== now) onTrouble(now, cause)
    trouble = now
  }
  const failed = (error: unknown): void => {
    const why = troubleOf(error)
    if (why) isIn(why, (error as Error).cause)
  }
  const lanes = Array.from({ length: LANES }, () => {
    const transactions = new Transactions(writers, reader, () => closing)
    const queue = new WriteQueue<Schema>(
      transactions.run,
      (...commit) => {
        isIn(undefined)
        onCommit(...commit)
      },
      failed,
    )
    return { transactions, queue }
  })
  const write: RunInTransaction = async (turn, work) => {
    const { transactions, queue } = lanes[laneOf(turn.lane)]!
    try {
      transactions.assertSure()
      return await queue.run(turn, fenced(options.fence, turn.fence, work))
    } catch (error) {
      failed(error)
      throw isUniqueViolation(error) ? new StoreConflict('This value is taken.', { cause: error }) : error
    }
  }
  try {
    const seal = await options.seal(await isInUse(reader))
    const settled = async (): Promise<void> => {
      await Promise.all(lanes.map(({ queue }) => queue.settled()))
    }
    const context = { db: reader, write, settled, seal, nodeId, dialect: postgresDialect }
    await proveSeal(context)
    if (nodeId !== null) await takeOverRows(reader, nodeId)
    return {
      ...storeOver(context),
      version: () => changesIn(reader),
      files: nodeId === null ? files : fileQueries(context),
      close: async () => {
        closing = true
        await Promise.all(lanes.map(({ queue }) => queue.idle()))
        await destroy()
      },
    }
  } catch (error) {
    await destroy()
    if (error instanceof SealBroken && nodeId !== null)
      throw new StartError(
        `The other nodes of ${name.replace(/^The /, 'the ')} have another master key: set MASTER_KEY to the same one on all of them.`,
        { cause: error },
      )
    throw problem(name, error)
  }
}

/**
 * Checks that a server could use the database, also while another one uses it. Changes nothing. Returns whether there is a store.
 * @throws {StartError}
 */
export async function checkPostgres(url: string, seal: () => Promise<Seal>): Promise<boolean> {
  const name = nameOf(url)
  const db = connectPostgres(url)
  try {
    if (!(await inspect(db, name))) return false
    const probe = await sql<{ value: string }>`select value from stored_values where name = ${SEAL_PROBE}`
      .execute(db)
      .then(({ rows }) => rows[0]?.value)
    if (probe !== undefined) (await seal()).open(probe, SEAL_PROBE)
    return true
  } catch (error) {
    throw problem(name, error)
  } finally {
    await db.destroy()
  }
}

/** A connection whose statements have no timeout, for migrations. */
export function connectPostgres(url: string, applicationName?: string): Kysely<Schema> {
  const options = { url, connections: 1, connectMs: START_PATIENCE_MS, applicationName }
  return new Kysely<Schema>({
    dialect: new PoolDialect(connectionsOf(openPool(options, () => undefined))),
  })
}

interface PrepareOptions {
  create: boolean
  /** Whether an unfinished copy is accepted. */
  halfCopied?: boolean
  applicationName?: string
}

/** Brings the tables up to date. @throws {StartError} and changes nothing if this program cannot use the database */
export async function preparePostgres(url: string, options: PrepareOptions): Promise<void> {
  const { create, halfCopied = false, applicationName } = options
  const name = nameOf(url)
  const db = connectPostgres(url, applicationName)
  try {
    if (!(await inspect(db, name, halfCopied)) && !create)
      throw new StartError(
        `There is no store in ${name.replace(/^The /, 'the ')}: name its database in DATABASE_URL, or make one with "anteroom init" or a first start.`,
      )
    await assertNobodyLeftBehind(db, name)
    const { error, taken } = await migrate(db, postgresDialect)
    if (error === undefined) return
    assertKnown(taken, name)
    throw problem(name, error)
  } catch (error) {
    throw problem(name, error)
  } finally {
    await db.destroy()
  }
}

/** Returns whether our tables exist. @throws {StartError} if this program cannot use what is there */
async function inspect(db: Kysely<Schema>, name: string, halfCopied = false): Promise<boolean> {
  const { rows } = await sql<{ version: number; shown: string; encoding: string; standby: boolean }>`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as shown,
      current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby`.execute(db)
  const { version, shown, encoding, standby } = rows[0]!
  if (version < OLDEST_VERSION)
    throw new StartError(
      `${name} is PostgreSQL ${shown}, which is too old: use PostgreSQL ${OLDEST_VERSION / 10_000} or newer.`,
    )
  if (encoding !== 'UTF8')
    throw new StartError(
      `${name} keeps text as ${encoding}: make a database with encoding UTF8, and name it in DATABASE_URL.`,
    )
  if (standby)
    throw new StartError(`${name} can only be read: name the primary server in DATABASE_URL, not a standby.`)
  const tables = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = current_schema()`.execute(db)
  const names = tables.rows.map((row) => row.name)
  const taken = names.includes(MIGRATION_TABLE) ? await takenIn(db) : []
  if (taken.length > 0 && taken.includes(FIRST_MIGRATION) && names.includes('stored_values')) {
    assertKnown(taken, name)
    if (!halfCopied && names.includes(HALF_COPY_TABLE)) throw halfCopy(name)
    return true
  }
  if (taken.length > 0 || names.some((one) => !one.startsWith(MIGRATION_TABLE)))
    throw new StartError(
      `${name} holds the tables of another program: name an empty database in DATABASE_URL.`,
    )
  return false
}

/** Nodes that run now could not work on the database after a step that takes something away. @throws {StartError} */
export async function assertNobodyLeftBehind(
  db: Kysely<Schema>,
  name: string,
  steps?: Record<string, unknown>,
): Promise<void> {
  const taken = await takenIn(db).catch(() => undefined)
  if (taken === undefined || takingAway(taken, steps).length === 0) return
  const { rows: there } = await sql<{
    there: boolean
  }>`select to_regclass('nodes') is not null as there`.execute(db)
  if (!there[0]!.there) return
  const { rows } = await sql<{ node_id: string; version: string }>`
    select node_id, version from nodes where lease_until > ${postgresDialect.now} order by node_id`.execute(
    db,
  )
  if (rows.length === 0) return
  const nodes = rows.map(({ node_id, version }) => `${node_id} (${version})`).join(', ')
  throw new StartError(
    `${name} must be changed in a way that running nodes do not know: stop ${nodes}, then start this version.`,
  )
}

function assertKnown(taken: readonly string[], name: string): void {
  if (canWorkAfter(taken)) return
  throw new StartError(
    `${name} is of a newer Anteroom: start that version, or name another database in DATABASE_URL.`,
  )
}

/** How many other servers are connected to the database. */
export const OTHER_CONNECTIONS = sql<{ others: number }>`
  select count(*) as others from pg_stat_activity
  where datname = current_database() and application_name = ${APPLICATION_NAME} and pid <> pg_backend_pid()`

async function isInUse(db: Kysely<Schema>): Promise<boolean> {
  const probe = db.selectFrom('stored_values').select('name').where('name', '=', SEAL_PROBE)
  return (await probe.executeTakeFirst()) !== undefined
}

/** Gives rows of the time before nodes to the first node that starts, which is the machine with the data folder. */
async function takeOverRows(db: Kysely<Schema>, nodeId: string): Promise<void> {
  for (const table of ['outputs', 'jobs'] as const)
    await db.updateTable(table).set({ node_id: nodeId }).where('node_id', 'is', null).execute()
}

/** The lane of a name. */
function laneOf(name: string): number {
  let hash = 0
  for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) >>> 0
  return hash % LANES
}
