/** Takes one sample of the whole server per minute, for the plots of the dashboard. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics, Totals } from './metrics.ts'
import { CpuMeter } from './cpu-meter.ts'

export interface Sample {
  at: number
  figures: Readonly<Record<string, number>>
  /** The node that took it, if there are several. */
  nodeId?: string
}

export interface SamplerOptions {
  metrics: Metrics
  write: (sample: Sample) => Promise<void>
  now: () => number
  onError: (error: unknown) => void
}

const INTERVAL_MS = 60_000
/** Figures that count events within the minute; all others describe its end. */
const counts: readonly (keyof Totals)[] = ['joins', 'refusals', 'chatMessages', 'requests', 'storeWrites']

export class Sampler {
  readonly #options: SamplerOptions
  readonly #meter: CpuMeter
  readonly #timer: NodeJS.Timeout
  #before: Totals

  constructor(options: SamplerOptions) {
    this.#options = options
    this.#meter = new CpuMeter(options.now())
    this.#before = { ...options.metrics.totals }
    this.#timer = setInterval(() => {
      this.sample().catch((error: unknown) => options.onError(error))
    }, INTERVAL_MS).unref()
  }

  /** Takes a sample now. */
  async sample(): Promise<void> {
    const { metrics, write, now } = this.#options
    const { readings, totals, flow } = metrics
    const [there, workers, { waiting }] = await Promise.all([
      readings.meetings(),
      readings.workers(),
      readings.webhooks(),
    ])
    const at = now()
    const percents = [...this.#meter.look(workers, at).values()]
    const happened = Object.fromEntries(counts.map((name) => [name, totals[name] - this.#before[name]]))
    this.#before = { ...totals }
    const figures: Record<string, number> = {
      ...there,
      ...happened,
      webhooksWaiting: waiting,
      workersCpuPercent: percents.reduce((sum, one) => sum + one, 0),
      eventLoopLagMs: Math.round(metrics.lagMs() * 10) / 10,
      memoryBytes: process.memoryUsage.rss(),
    }
    metrics.forgetLag()
    for (const [name, value] of Object.entries(flow ?? {})) {
      if (typeof value === 'number') figures[name] = Math.round(value * 100) / 100
    }
    await write({ at, figures })
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

/** Figures that are the same on all nodes, or that no sum describes: the largest counts. */
const largest = ['eventLoopLagMs', 'webhooksWaiting']
const means = ['audioScore', 'videoScore']

/** Adds up what several nodes measured in the same minute. Samples of a server that is alone stay as they are. */
export function ofAllNodes(samples: readonly Sample[]): Sample[] {
  if (samples.every(({ nodeId }) => nodeId === undefined)) return [...samples]
  const minutes = Map.groupBy(samples, ({ at }) => Math.floor(at / INTERVAL_MS))
  return [...minutes.values()].map((group) => {
    // A node whose timer drifts may have two samples in one minute.
    const latest = [...new Map(group.map((sample) => [sample.nodeId, sample])).values()]
    const values = Map.groupBy(
      latest.flatMap(({ figures }) => Object.entries(figures)),
      ([name]) => name,
    )
    const figures = Object.fromEntries(
      [...values].map(([name, entries]) => {
        const all = entries.map(([, value]) => value)
        const sum = all.reduce((total, value) => total + value, 0)
        if (largest.includes(name)) return [name, Math.max(...all)]
        return [name, means.includes(name) ? sum / all.length : sum]
      }),
    )
    return { at: group.at(-1)!.at, figures }
  })
}

/**
 * Reduces samples to at most `most` points, each for an equal number of samples: counts are added up, other figures are averaged, and
 * figures that no sample has are left out.
 */
export function thinned(samples: readonly Sample[], most: number): Sample[] {
  const size = Math.max(1, Math.ceil(samples.length / most))
  if (size === 1) return [...samples]
  const points: Sample[] = []
  for (let from = 0; from < samples.length; from += size) {
    const group = samples.slice(from, from + size)
    const sums = new Map<string, { sum: number; of: number }>()
    for (const { figures } of group) {
      for (const [name, value] of Object.entries(figures)) {
        const there = sums.get(name) ?? { sum: 0, of: 0 }
        sums.set(name, { sum: there.sum + value, of: there.of + 1 })
      }
    }
    const figures = Object.fromEntries(
      [...sums].map(([name, { sum, of }]) => [
        name,
        (counts as readonly string[]).includes(name) ? sum : Math.round((sum / of) * 100) / 100,
      ]),
    )
    points.push({ at: group.at(-1)!.at, figures })
  }
  return points
}

/** Sampling interval in ms, which does not count as lag. A shorter one would be most of the work of an idle server. */
const LAG_RESOLUTION_MS = 200
const NS_IN_MS = 1e6

/** Measures the longest stall of the event loop between two readings. */
export class LagPeak {
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })

  constructor() {
    this.#lag.enable()
  }

  /** Returns the longest delay since the last call, in ms. */
  take(): number {
    const peak = this.#lag.count === 0 ? 0 : Math.max(0, this.#lag.max / NS_IN_MS - LAG_RESOLUTION_MS)
    this.#lag.reset()
    return Math.round(peak)
  }

  close(): void {
    this.#lag.disable()
  }
}
