/** Chooses the store of test servers. `npm run test:postgres` runs some files a second time over PostgreSQL. */
const onPostgres = process.env.TEST_STORE === 'postgres'

export interface OwnDatabase {
  url: string
  drop: () => Promise<void>
}

/** Makes an empty database for one server if this run uses PostgreSQL. */
export async function ownDatabase(): Promise<OwnDatabase | undefined> {
  // Most runs need no database driver.
  return onPostgres ? (await import('./postgres.ts')).makeDatabase() : undefined
}
