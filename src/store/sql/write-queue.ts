/**
 * Group commit: writes that arrive while a transaction is being committed share the next one, so that one sync serves them
 * all. Each write resolves after its commit. A write that fails is rolled back alone; if the store fails, all of the group
 * are.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { sql, type Kysely } from 'kysely'
import { troubleOf } from '../unavailable.ts'
import type { Turn } from './sql-context.ts'
import { together } from './together.ts'

interface Job<Schema> {
  work: (db: Kysely<Schema>) => Promise<unknown>
  turn: Turn
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

/** Runs work in one transaction that holds the locks of these names. */
export type Transact<Schema> = <T>(
  holds: readonly string[],
  work: (db: Kysely<Schema>) => Promise<T>,
) => Promise<T>

/** Called after a commit with the number of writes in it and its duration. */
export type OnCommit = (writes: number, seconds: number) => void

/** In a larger group, the first write would wait long for the last. */
const MAX_GROUP = 256
/** How long a write waits for a lock that another holds. */
const LOCKED_PATIENCE_MS = 8000
const LOCKED_RETRY_MS = 25
/** A write that has waited this long reports why. */
const LOCKED_TELL_MS = 1000
/** How long a read waits for the writes before it. */
const SETTLED_PATIENCE_MS = 1000

export class WriteQueue<Schema> {
  readonly #transact: Transact<Schema>
  readonly #onCommit: OnCommit
  readonly #onWait: (error: unknown) => void
  readonly #jobs: Job<Schema>[] = []
  #running: Promise<void> | undefined
  /** The write that was accepted last. */
  #last: Promise<unknown> | undefined

  /** `onWait` receives the error that makes a write wait long. */
  constructor(transact: Transact<Schema>, onCommit: OnCommit, onWait: (error: unknown) => void) {
    this.#transact = transact
    this.#onWait = onWait
    this.#onCommit = onCommit
  }

  run<T>(turn: Turn, work: (db: Kysely<Schema>) => Promise<T>): Promise<T> {
    const written = new Promise<T>((resolve, reject) => {
      this.#jobs.push({ work, turn, resolve, reject })
      this.#running ??= this.#drain()
    })
    this.#last = written
    return written
  }

  /** Resolves when the writes accepted so far are on the disk or have been rejected, or after a moment. */
  async settled(): Promise<void> {
    if (!this.#running) return
    const patience = new AbortController()
    const ended = this.#last?.catch(() => undefined)
    const waited = delay(SETTLED_PATIENCE_MS, undefined, { signal: patience.signal, ref: false })
    await Promise.race([ended, waited.catch(() => undefined)])
    patience.abort()
  }

  /** Resolves when every accepted write is on the disk or has been rejected. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #drain(): Promise<void> {
    while (this.#jobs.length > 0) {
      // Wait for the next turn of the event loop: other writes of this turn join the group, and sockets and timers get
      // their turn between two groups. SQLite never yields.
      await new Promise((next) => setImmediate(next))
      await this.#commit(this.#jobs.splice(0, MAX_GROUP))
    }
    // Synchronously after the queue was found empty, so that no job is missed.
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

  /** Runs the group and returns, for each job, the function that settles it once the group is on the disk. */
  async #attempt(group: Job<Schema>[]): Promise<(() => void)[]> {
    const holds = group.flatMap(({ turn }) => turn.holds ?? [])
    try {
      return await this.#transact(holds, (db) => runSideBySide(group, db))
    } catch (error) {
      // If the disk fails, no other write of the group is safe either.
      if (troubleOf(error) || group.length === 1) throw error
    }
    return this.#transact(holds, (db) => runApart(group, db))
  }
}

/** Runs writes that do not concern each other at once, the others in their order. If one fails, so do all. */
async function runSideBySide<Schema>(group: Job<Schema>[], db: Kysely<Schema>): Promise<(() => void)[]> {
  const ends = new Map<string, Promise<unknown>>()
  const ended = group.map(({ turn: { lane, holds = [] }, work, resolve }) => {
    const names = [lane, ...holds]
    const before = names.flatMap((name) => ends.get(name) ?? [])
    const settle = Promise.all(before)
      .then(() => work(db))
      .then((value) => () => resolve(value as never))
    for (const name of names) ends.set(name, settle)
    return settle
  })
  return together(ended)
}

/** Runs one write after the other, each so that it can be rolled back alone. */
async function runApart<Schema>(group: Job<Schema>[], db: Kysely<Schema>): Promise<(() => void)[]> {
  const settle: (() => void)[] = []
  for (const { work, resolve, reject } of group) {
    await sql`savepoint one`.execute(db)
    try {
      const value = (await work(db)) as never
      settle.push(() => resolve(value))
    } catch (error) {
      if (troubleOf(error)) throw error
      await sql`rollback to savepoint one`.execute(db)
      settle.push(() => reject(error))
    }
    await sql`release savepoint one`.execute(db)
  }
  return settle
}
