/**
 * Group commit: writes that arrive while one transaction is on its way to the disk go together in the next, so that one
 * sync serves them all. Each resolves after the commit that holds it; one that fails is undone alone, and all together
 * when it is the store that fails.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { sql, type Kysely, type Transaction } from 'kysely'
import { troubleOf } from './unavailable.ts'

interface Job<Schema> {
  work: (db: Transaction<Schema>) => Promise<unknown>
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

/** A group of so many writes reached the disk in so long. */
export type OnCommit = (writes: number, seconds: number) => void

/** More would make the first of a group wait long for the last. */
const MAX_GROUP = 256
/** How long a write waits for another process to have written. */
const LOCKED_PATIENCE_MS = 8000
const LOCKED_RETRY_MS = 25
/** From here on it is told. */
const LOCKED_TELL_MS = 1000

export class WriteQueue<Schema> {
  readonly #db: Kysely<Schema>
  readonly #onCommit: OnCommit
  readonly #onWait: (error: unknown) => void
  readonly #jobs: Job<Schema>[] = []
  #running: Promise<void> | undefined

  /** `onWait` hears why a write waits long. */
  constructor(db: Kysely<Schema>, onCommit: OnCommit, onWait: (error: unknown) => void) {
    this.#db = db
    this.#onWait = onWait
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
    const startedAt = performance.now()
    for (;;) {
      try {
        const settle = await this.#attempt(group)
        this.#onCommit(group.length, (performance.now() - startedAt) / 1000)
        for (const tell of settle) tell()
        return
      } catch (error) {
        const waitedMs = performance.now() - startedAt
        if (troubleOf(error) === 'locked' && waitedMs < LOCKED_PATIENCE_MS) {
          if (waitedMs > LOCKED_TELL_MS) this.#onWait(error)
          await delay(LOCKED_RETRY_MS)
          continue
        }
        for (const { reject } of group) reject(error)
        return
      }
    }
  }

  /** Answers how each is to be told, now that all is on the disk. */
  async #attempt(group: Job<Schema>[]): Promise<(() => void)[]> {
    const [first, ...others] = group
    if (first && others.length === 0) {
      // Alone it needs no way back of its own: the transaction is one.
      const value = (await this.#db.transaction().execute(first.work)) as never
      return [() => first.resolve(value)]
    }
    const settle: (() => void)[] = []
    await this.#db.transaction().execute(async (db) => {
      for (const { work, resolve, reject } of group) {
        await sql`savepoint one`.execute(db)
        try {
          const value = (await work(db)) as never
          settle.push(() => resolve(value))
        } catch (error) {
          // Of a disk that fails no other write of the group can be sure.
          if (troubleOf(error)) throw error
          await sql`rollback to savepoint one`.execute(db)
          settle.push(() => reject(error))
        }
        await sql`release savepoint one`.execute(db)
      }
    })
    return settle
  }
}
