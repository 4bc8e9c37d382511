/** Reads the state of the server for its alerts. */
import { statfs } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { alertsOf, type Condition } from '../metrics/alerts.ts'
import type { Readings } from '../metrics/metrics.ts'
import type { CertificateStatus } from '../protocol/rest/watching.ts'
import type { Ground } from './ground.ts'

/** The longest time that alerts wait for the store. */
const STORE_PATIENCE_MS = 1000

/** @param certificate undefined until the listener is open */
export function alertReader(
  { config, core: { store }, media, metrics, cluster, now }: Ground,
  certificate: () => CertificateStatus | undefined,
): Readings['alerts'] {
  const started = { at: now(), ms: performance.now() }

  const diskOf = async (): Promise<Condition['disk']> => {
    try {
      const { bavail, blocks, bsize } = await statfs(config.dataDir)
      return {
        freeBytes: bavail * bsize,
        totalBytes: blocks * bsize,
        reserveBytes: config.diskReserveMegabytes * 1_000_000,
      }
    } catch {
      return undefined
    }
  }

  /** Metrics are read while the store waits for a lock, too, and must not wait with it. */
  const storeAnswers = async (): Promise<boolean> => {
    const late = new AbortController()
    try {
      return await Promise.race([
        store.check().then(() => true),
        delay(STORE_PATIENCE_MS, false, { signal: late.signal, ref: false }),
      ])
    } catch {
      return false
    } finally {
      late.abort()
    }
  }

  return async (counted) => {
    const { status } = media
    const [available, disk, workers] = await Promise.all([storeAnswers(), diskOf(), media.usage()])
    return alertsOf({
      now: now(),
      store: { available },
      media: status,
      workersWanted: config.mediaWorkers,
      workers,
      disk,
      certificate: certificate(),
      clockJumpMs: now() - started.at - (performance.now() - started.ms),
      eventLoopLagMs: metrics.lagMs(),
      nodes: cluster?.nodes() ?? [],
      // Nothing can be read while the store is away, which is an alert itself.
      webhooks:
        counted ?? (available ? await store.outbox.backlog() : { waiting: 0, parked: 0, oldestAt: null }),
    })
  }
}
