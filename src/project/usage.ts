/**
 * Counts what was used, per day, project and key: what has ended since the last time is added to the sums of its days, in the transaction that
 * marks it as counted. What goes on when a server dies is counted when its end is known, after the next start.
 */
import type { Store, UsageSums } from '../store/store.ts'
import { dayOf } from '../protocol/days.ts'
import { additionsOfOutput, additionsOfStay, peaksOf } from './usage-rules.ts'

/** Records in one step: some ms of the store's time. */
const STEP = 1000

export interface UsageOptions {
  store: Pick<Store, 'usage'>
  now: () => number
  /** Yields between two steps. */
  pause: () => Promise<void>
}

/** Of all days. */
export interface UsageTotal extends UsageSums {
  projectId: string
  /** Empty: none that is known. */
  apiKey: string
  /** Today. */
  peak: number
}

export class UsageCounter {
  readonly #options: UsageOptions
  #counting: Promise<number> | undefined

  constructor(options: UsageOptions) {
    this.#options = options
  }

  /** Counts all that has ended and was not counted yet. Returns how many records those were. */
  count(): Promise<number> {
    this.#counting ??= this.#count().finally(() => (this.#counting = undefined))
    return this.#counting
  }

  /** The sums of all days for each project and key, and the most participants at once today. */
  async reading(): Promise<UsageTotal[]> {
    const { store, now } = this.#options
    const [totals, peaks] = await Promise.all([store.usage.totals(), store.usage.peaksOf(dayOf(now()))])
    const most = new Map(
      peaks.map(({ projectId, apiKey, participants }) => [`${projectId} ${apiKey}`, participants]),
    )
    return totals.map((total) => ({ ...total, peak: most.get(`${total.projectId} ${total.apiKey}`) ?? 0 }))
  }

  async #count(): Promise<number> {
    const { pause } = this.#options
    let counted = 0
    let limit = STEP
    for (;;) {
      const step = await this.#step(limit)
      if (step === undefined) return counted
      counted += step.counted
      if (!step.isMore) return counted
      // So many go on that a step would find few that have ended.
      if (step.counted < limit / 2) limit *= 2
      await pause()
    }
  }

  /** Undefined: others have been counted meanwhile, or have ended; the next call counts them. */
  async #step(limit: number): Promise<{ counted: number; isMore: boolean } | undefined> {
    const { store, now } = this.#options
    const [stays, outputs, countedUpTo] = await Promise.all([
      store.usage.uncountedStays(limit),
      store.usage.uncountedOutputs(STEP),
      store.usage.countedUpTo(),
    ])
    // The clock may have been set back.
    const from = Math.min(countedUpTo, now())
    const isMore = stays.length === limit
    // Later ones may have joined at the same instant as the last one.
    const upTo = isMore ? stays.at(-1)!.joinedAt - 1 : now()
    const ended = stays.filter(
      ({ joinedAt, leftAt }) => joinedAt <= upTo && leftAt !== null && leftAt <= upTo,
    )
    if (isMore && ended.length === 0 && outputs.length === 0) return { counted: 0, isMore }
    const done = await store.usage.count({
      upTo,
      countedUpTo: Math.max(from, upTo),
      stays: ended.length,
      outputs,
      additions: [...ended.flatMap(additionsOfStay), ...outputs.flatMap(additionsOfOutput)],
      peaks: upTo > from ? peaksOf(stays, from, upTo) : [],
    })
    return done
      ? { counted: ended.length + outputs.length, isMore: isMore || outputs.length >= STEP }
      : undefined
  }
}
