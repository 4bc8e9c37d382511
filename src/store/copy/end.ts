/** One end of a copy: the source or the target. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { StartError } from '../../errors.ts'
import { openStore } from '../open.ts'
import { connectPostgres, OTHER_CONNECTIONS, preparePostgres } from '../postgres/open.ts'
import { problem } from '../postgres/errors.ts'
import { prepareFolder } from '../secrets/master-key.ts'
import { assertUnused } from '../sqlite/backup.ts'
import { connectSqlite, DATABASE_FILE, prepareSqlite } from '../sqlite/sqlite.ts'
import type { Db } from './rows.ts'

export interface End {
  /** A name for people, without a password. */
  name: string
  isPostgres: boolean
  /** @throws {StartError} */
  assertUnused: () => Promise<void>
  /** Opens the store as a start would, which checks the master key and brings the tables up to date. */
  open: () => Promise<void>
  /** Creates the tables, or brings those of an earlier copy up to date. */
  prepare: () => Promise<void>
  connect: () => Db
  /** Runs work while no other copy and no server can start to write. */
  hold: <T>(work: (db: Db) => Promise<T>) => Promise<T>
}

/** The `application_name` of a copy's connections. */
const COPIER = 'anteroom migrate-store'
/** PostgreSQL lists the connections of a stopped server a moment longer. */
const GONE_TRIES = 10
const GONE_WAIT_MS = 100
/** An arbitrary number for the advisory lock, which is per database. */
const COPY_LOCK = 4_721_806

const isPostgresUrl = (place: string): boolean => /^postgres(ql)?:/.test(place)

export function endOf(place: string, folder: string, masterKey: Buffer): End {
  return isPostgresUrl(place) ? inPostgres(place, folder, masterKey) : inSqlite(place, masterKey)
}

function inPostgres(url: string, folder: string, masterKey: Buffer): End {
  const name = 'the PostgreSQL database'
  const connect = (): Db => connectPostgres(url, COPIER) as unknown as Db
  const assertNoServer = async (db: Db): Promise<void> => {
    for (let tries = 0; ; tries++) {
      const { rows } = await OTHER_CONNECTIONS.execute(db)
      if (rows[0]!.others === 0) return
      if (tries === GONE_TRIES)
        throw new StartError('A server uses the PostgreSQL database: stop the server first.')
      await delay(GONE_WAIT_MS)
    }
  }
  return {
    name,
    isPostgres: true,
    assertUnused: async () => {
      const db = connect()
      try {
        await assertNoServer(db)
      } catch (error) {
        throw problem('The PostgreSQL database', error)
      } finally {
        await db.destroy()
      }
    },
    open: async () => {
      await (await openStore({ folder, masterKey, url, create: false })).close()
    },
    prepare: () => preparePostgres(url, { create: true, halfCopied: true, applicationName: COPIER }),
    connect,
    hold: async (work) => {
      const db = connect()
      try {
        // The lock ends with the connection, also when this process is killed.
        return await db.connection().execute(async (one) => {
          const { rows } = await sql<{ taken: boolean }>`
            select pg_try_advisory_lock(${sql.lit(COPY_LOCK)}) as taken`.execute(one)
          if (!rows[0]!.taken)
            throw new StartError(
              'Another "migrate-store" is copying into the PostgreSQL database: wait for it, or stop it.',
            )
          await assertNoServer(one)
          return await work(one)
        })
      } finally {
        await db.destroy()
      }
    },
  }
}

function inSqlite(folder: string, masterKey: Buffer): End {
  const file = join(folder, DATABASE_FILE)
  return {
    name: file,
    isPostgres: false,
    assertUnused: () => {
      if (existsSync(file)) assertUnused(file)
      return Promise.resolve()
    },
    open: async () => {
      await (await openStore({ folder, masterKey, create: false })).close()
    },
    prepare: async () => {
      await prepareFolder(folder)
      await prepareSqlite(file)
    },
    connect: () => connectSqlite(file) as unknown as Db,
    hold: async (work) => {
      const db = connectSqlite(file, { alone: true }) as unknown as Db
      // Kysely closes only what was used.
      await sql`select 1`.execute(db)
      try {
        return await work(db)
      } finally {
        await db.destroy()
      }
    },
  }
}
