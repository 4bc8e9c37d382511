/**
 * Counts answers to HTTP requests in plain objects and converts them to Prometheus's form when scraped: looking up the
 * child of some labels costs prom-client as much as signing a token.
 */
import { Counter, type Metric, type Registry } from 'prom-client'

const SECONDS = 'anteroom_http_request_seconds'
/** Upper bounds in seconds. */
const BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 2]

interface Durations {
  /** How many took no longer than each bound, but longer than the one before. */
  within: number[]
  count: number
  sum: number
}

interface Count {
  labels: { method: string; route: string; status: number }
  count: number
}

export class Answers {
  readonly #counts = new Map<string, Count>()
  readonly #durations = new Map<string, Durations>()

  constructor(registry: Registry) {
    const counts = this.#counts
    new Counter({
      registers: [registry],
      name: 'anteroom_http_requests_total',
      help: 'HTTP requests that were answered.',
      labelNames: ['method', 'route', 'status'],
      collect() {
        this.reset()
        for (const { labels, count } of counts.values()) this.inc(labels, count)
      },
    })
    const seconds = {
      name: SECONDS,
      help: 'From the last byte of the head of an HTTP request to the last of its answer.',
      type: 'histogram',
      aggregator: 'sum',
      get: () => ({
        ...seconds,
        values: [...this.#durations].flatMap(([route, durations]) => samplesOf(route, durations)),
      }),
      reset: () => this.#durations.clear(),
    }
    registry.registerMetric(seconds as unknown as Metric)
  }

  add(method: string, route: string, status: number, seconds: number): void {
    const key = `${method} ${status} ${route}`
    const there = this.#counts.get(key)
    if (there) there.count++
    else this.#counts.set(key, { labels: { method, route, status }, count: 1 })
    let durations = this.#durations.get(route)
    if (!durations) {
      durations = { within: BUCKETS.map(() => 0), count: 0, sum: 0 }
      this.#durations.set(route, durations)
    }
    durations.count++
    durations.sum += seconds
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound)
    if (bucket >= 0) durations.within[bucket]!++
  }
}

function samplesOf(route: string, { within, count, sum }: Durations) {
  let total = 0
  return [
    ...BUCKETS.map((le, at) => ({
      metricName: `${SECONDS}_bucket`,
      labels: { le, route },
      value: (total += within[at]!),
    })),
    { metricName: `${SECONDS}_bucket`, labels: { le: '+Inf', route }, value: count },
    { metricName: `${SECONDS}_sum`, labels: { route }, value: sum },
    { metricName: `${SECONDS}_count`, labels: { route }, value: count },
  ]
}
