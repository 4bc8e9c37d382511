/** Where the servers of tests keep their store. A second run of some files is over PostgreSQL: `npm run test:postgres`. */
const onPostgres = process.env.TEST_STORE === 'postgres'

export interface OwnDatabase {
  url: string
  drop: () => Promise<void>
}

/** An empty database for one server, where this run is over PostgreSQL. */
export async function ownDatabase(): Promise<OwnDatabase | undefined> {
  // Most runs need no driver.
  return onPostgres ? (await import('./postgres.ts')).makeDatabase() : undefined
}
