/** How busy the process and its media workers are, measured in the background so that callers need not wait. */
import { CpuMeter } from './cpu-meter.ts'
import type { WorkerReading } from './metrics.ts'

export interface BusynessOptions {
  workers: () => Promise<WorkerReading[]>
  /** Processor time of this process so far, in microseconds. */
  cpuUsage: () => { user: number; system: number }
  /** In ms. */
  now: () => number
}

const PROGRAM = -1
const SECOND_US = 1e6

export class Busyness {
  readonly #options: BusynessOptions
  readonly #meter: CpuMeter
  #isLooking = false
  #latest = { processorPercent: 0, mediaWorkers: 0 }

  constructor(options: BusynessOptions) {
    this.#options = options
    this.#meter = new CpuMeter(options.now())
  }

  /** Starts a measurement, and returns the result of the last one. */
  read(): { processorPercent: number; mediaWorkers: number } {
    if (!this.#isLooking) {
      this.#isLooking = true
      void this.#look().finally(() => (this.#isLooking = false))
    }
    return this.#latest
  }

  async #look(): Promise<void> {
    const { workers: read, cpuUsage, now } = this.#options
    // Ignores workers that do not answer.
    const workers = await read().catch(() => [])
    const { user, system } = cpuUsage()
    const program = { index: PROGRAM, cpuSeconds: (user + system) / SECOND_US } as WorkerReading
    const percents = this.#meter.look([program, ...workers], now())
    this.#latest = {
      processorPercent: Math.round(Math.max(0, ...percents.values())),
      mediaWorkers: workers.length,
    }
  }
}
