/** Periodic work of the server: applies changes of other processes, measures media, deletes old records. */
import { setTimeout } from 'node:timers/promises'
import type { LocalHome } from '../meeting/home.ts'
import { filesOfJob } from '../meeting/outputs/kept-files.ts'
import type { OutputParts } from '../meeting/outputs/parts.ts'
import { LagPeak, Sampler } from '../metrics/history.ts'
import { sweep } from '../project/retention.ts'
import { Refusal } from '../protocol/errors.ts'
import type { Webhooks } from '../webhook/create.ts'
import type { Access } from './access.ts'
import type { Ground } from './ground.ts'

/** How soon a key revoked by another process is refused here. */
const CREDENTIALS_REFRESH_MS = 1000
const SWEEP_MS = 3_600_000
/** How late use that has ended is counted. */
const COUNT_MS = 60_000
const SWEEP_PAUSE_MS = 20
/** The lease ends before the next turn of the node that took it. */
const SWEEP_EARLY_MS = 60_000
const COUNT_EARLY_MS = 10_000

export interface UpkeepParts extends Access {
  meetings: LocalHome
  webhooks: Webhooks
  outputs: Pick<OutputParts, 'kept'>
}

/** Starts it; what is returned stops it. */
export function startUpkeep(ground: Ground, parts: UpkeepParts): () => void {
  const { config: settings, core, metrics, now, log } = ground
  const { store, keyRing, usage } = core
  const { meetings, webhooks, outputs, verifier, revokedTokens } = parts
  const sampler = new Sampler({
    metrics,
    write: (sample) => store.figures.addSample(sample),
    now,
    onError: (error) => log.error({ err: error }, 'failed to take a sample'),
  })

  /** The store's version when keys, revoked tokens and projects were last read. */
  let readVersion: number | string | undefined
  const refreshCredentials = async (): Promise<void> => {
    const version = await store.version()
    if (version !== readVersion) {
      if (await keyRing.refresh()) verifier.clear()
      for (const token of await revokedTokens.refresh())
        await meetings.evictByCredential(token, new Refusal('INVALID_TOKEN', { reason: 'revoked' }))
      await webhooks.refreshDefaults()
      // The version before reading: later writes are read the next time.
      readVersion = version
    }
    await keyRing.writeUses()
  }
  const measures = settings.statsIntervalSeconds > 0
  const lagPeak = measures ? new LagPeak() : undefined
  const measureMedia = async (): Promise<void> => metrics.flows(await meetings.measure(lagPeak?.take() ?? 0))
  const countUsage = async (): Promise<void> => {
    if (await store.leases.take('usage', COUNT_MS - COUNT_EARLY_MS)) await usage.count()
  }
  const deleteOldRecords = async (): Promise<void> => {
    // What is deleted cannot be counted any more.
    await usage.count()
    const isMine = await store.leases.take('sweep', SWEEP_MS - SWEEP_EARLY_MS)
    // What a home that died left of sessions that have ended. The database knows which go on.
    if (isMine && settings.nodeAddress !== undefined) await store.files.keepOnly(new Set())
    await sweep({
      isMine,
      ...settings,
      store,
      now,
      dropOutput: (output) => outputs.kept.drop(output),
      dropJob: (job) => outputs.kept.drop(filesOfJob(job)),
      pause: () => setTimeout(SWEEP_PAUSE_MS),
    })
  }

  let isStopped = false
  const every = (ms: number, failure: string, work: () => Promise<void>): NodeJS.Timeout => {
    let isRunning = false
    return setInterval(() => {
      // A slow machine does it less often, and never twice at once.
      if (isRunning) return
      isRunning = true
      work()
        .catch((error: unknown) => {
          // Work under way at the end finds the store closed.
          if (!isStopped) log.error({ err: error }, failure)
        })
        .finally(() => {
          isRunning = false
        })
    }, ms).unref()
  }
  const timers = [
    every(CREDENTIALS_REFRESH_MS, 'failed to refresh keys, revoked tokens and projects', refreshCredentials),
    every(COUNT_MS, 'failed to count what was used', countUsage),
    every(SWEEP_MS, 'failed to delete old records', deleteOldRecords),
  ]
  if (measures)
    timers.push(every(settings.statsIntervalSeconds * 1000, 'failed to measure media', measureMedia))
  return () => {
    isStopped = true
    for (const timer of timers) clearInterval(timer)
    sampler.close()
    lagPeak?.close()
  }
}
