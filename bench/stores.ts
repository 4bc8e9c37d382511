/** The databases that a bench runs the same work on, one after the other, on one disk. */
import { OwnPostgres, runSql, withoutOwnPostgres } from '../test/support/postgres.ts'

export interface BenchStore {
  name: 'SQLite' | 'PostgreSQL'
  /** Of the database in PostgreSQL. */
  url?: string
}

/** Runs work on SQLite, then on a PostgreSQL of its own that waits for the disk as SQLite does. */
export async function onEachStore<T>(parent: string, work: (store: BenchStore) => Promise<T>): Promise<T[]> {
  const results = [await work({ name: 'SQLite' })]
  if (withoutOwnPostgres !== false) {
    console.log(`PostgreSQL is left out: ${withoutOwnPostgres}`)
    return results
  }
  // As its packages set it up, and not as tests do.
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
