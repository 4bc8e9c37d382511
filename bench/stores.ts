/** Runs the same work on each database, one after the other, on one disk. */
import { OwnPostgres, runSql, withoutOwnPostgres } from '../test/support/postgres.ts'

export interface BenchStore {
  name: 'SQLite' | 'PostgreSQL'
  /** The URL of the PostgreSQL database; undefined for SQLite. */
  url?: string
}

/** Runs the work on SQLite, then on a PostgreSQL server of its own that syncs to disk as SQLite does. */
export async function onEachStore<T>(parent: string, work: (store: BenchStore) => Promise<T>): Promise<T[]> {
  const results = [await work({ name: 'SQLite' })]
  if (withoutOwnPostgres !== false) {
    console.log(`PostgreSQL is left out: ${withoutOwnPostgres}`)
    return results
  }
  // The defaults of PostgreSQL's packages, not the fast settings of the tests.
  const settings = ['fsync=on', 'synchronous_commit=on', 'shared_buffers=128MB', 'max_wal_size=1GB']
  const server = await OwnPostgres.start(settings, parent)
  try {
    await runSql(server.admin, 'create database bench')
    results.push(await work({ name: 'PostgreSQL', url: server.urlOf('bench') }))
  } finally {
    await server.stop()
  }
  return results
}
