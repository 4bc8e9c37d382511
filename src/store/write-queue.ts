/**
 * Group commit: writes that arrive while one transaction is on its way to the disk go together in the next, so that one
 * sync serves them all. Each resolves after the commit that holds it; one that fails is undone alone.
 */
import { sql, type Kysely, type Transaction } from 'kysely'

interface Job<Schema> {
  work: (db: Transaction<Schema>) => Promise<unknown>
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

/** A group of so many writes reached the disk in so long. */
export type OnCommit = (writes: number, seconds: number) => void

/** More would make the first of a group wait long for the last. */
const MAX_GROUP = 256

export class WriteQueue<Schema> {
  readonly #db: Kysely<Schema>
  readonly #onCommit: OnCommit
  readonly #jobs: Job<Schema>[] = []
  #running: Promise<void> | undefined

  constructor(db: Kysely<Schema>, onCommit: OnCommit = () => undefined) {
    this.#db = db
    this.#onCommit = onCommit
  }

  run<T>(work: (db: Transaction<Schema>) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({ work, resolve, reject })
      this.#running ??= this.#drain()
    })
  }

  /** Resolves when all that was accepted is on the disk or refused. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #drain(): Promise<void> {
    while (this.#jobs.length > 0) {
      // What else is asked for in this turn of the event loop belongs to the same group; and between two groups
      // sockets and timers have their turn, as SQLite itself never gives way.
      await new Promise((next) => setImmediate(next))
      await this.#commit(this.#jobs.splice(0, MAX_GROUP))
    }
    // In the same instant in which the queue was found empty, so that no job falls between.
    this.#running = undefined
  }

  async #commit(group: Job<Schema>[]): Promise<void> {
    const settle: (() => void)[] = []
    const startedAt = performance.now()
    try {
      await this.#db.transaction().execute(async (db) => {
        for (const { work, resolve, reject } of group) {
          await sql`savepoint one`.execute(db)
          try {
            const value = (await work(db)) as never
            settle.push(() => resolve(value))
          } catch (error) {
            await sql`rollback to savepoint one`.execute(db)
            settle.push(() => reject(error))
          }
          await sql`release savepoint one`.execute(db)
        }
      })
    } catch (error) {
      for (const { reject } of group) reject(error)
      return
    }
    this.#onCommit(group.length, (performance.now() - startedAt) / 1000)
    for (const tell of settle) tell()
  }
}
