import type { WorkerReading } from './metrics.ts'

/** The minimum distance between two readings. */
const SHORTEST_MS = 1000

/** Measures how busy each worker was between two readings, in percent of one core. */
export class CpuMeter {
  #at: number
  #seconds = new Map<number, number>()
  #percents = new Map<number, number>()

  constructor(now: number) {
    this.#at = now
  }

  /** index → percent, since the last reading at least a second ago. */
  look(workers: readonly WorkerReading[], now: number): ReadonlyMap<number, number> {
    const ms = now - this.#at
    if (ms < SHORTEST_MS) return this.#percents
    const percent = ({ index, cpuSeconds }: WorkerReading): number => {
      const before = this.#seconds.get(index) ?? 0
      // Less than before means that the worker was replaced.
      const spent = cpuSeconds >= before ? cpuSeconds - before : cpuSeconds
      return Math.round((1000 * 100 * spent * 10) / ms) / 10
    }
    this.#percents = new Map(workers.map((worker) => [worker.index, percent(worker)]))
    this.#seconds = new Map(workers.map(({ index, cpuSeconds }) => [index, cpuSeconds]))
    this.#at = now
    return this.#percents
  }
}
