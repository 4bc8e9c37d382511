/** Pages of long lists: databases count rows and skip rows one by one. */
import type { Page } from '../store.ts'

/** Counting fewer is quick. */
const MANY = 10_000
const REMEMBERED_MS = 10_000

/** Counts the rows of lists. A count of many rows takes long, so it is remembered for a moment: the total of a long list may be that old. */
export class Totals {
  readonly #known = new Map<string, { total: number; countedAt: number }>()

  /** @param list names the rows: the table and every filter */
  async of(list: unknown, count: () => Promise<number>, now = performance.now()): Promise<number> {
    const key = JSON.stringify(list)
    const known = this.#known.get(key)
    if (known && now - known.countedAt < REMEMBERED_MS) return known.total
    const total = await count()
    for (const [name, { countedAt }] of this.#known)
      if (now - countedAt >= REMEMBERED_MS) this.#known.delete(name)
    if (total >= MANY) this.#known.set(key, { total, countedAt: now })
    return total
  }
}

/** How to reach a page of a list that is ordered downwards; undefined if it is after the last one. */
export function reach({ page, perPage }: Page, total: number) {
  const before = (page - 1) * perPage
  const limit = Math.min(perPage, total - before)
  if (limit <= 0) return undefined
  // A page in the second half is nearer to the end.
  const isFromEnd = before > total / 2
  return {
    limit,
    offset: isFromEnd ? total - before - limit : before,
    direction: isFromEnd ? ('asc' as const) : ('desc' as const),
    /** Puts the rows into the order of the list. */
    inOrder: <T>(rows: T[]): T[] => (isFromEnd ? rows.reverse() : rows),
  }
}
