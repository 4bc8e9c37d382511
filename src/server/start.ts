/** Starts a server: opens its base, connects the parts, and closes everything if that fails. */
import { createLog, logDestination } from '../log.ts'
import { assertPortsApart } from '../config/safety.ts'
import type { Config } from '../config/read.ts'
import { createMetrics } from '../metrics/metrics.ts'
import type { Sfu } from '../media/sfu.ts'
import type { Tracing } from '../tracing/open.ts'
import { version } from '../version.ts'
import type { Parts, RunningServer } from './contract.ts'
import { openCluster, widen } from './cluster.ts'
import { openCore } from './core.ts'
import { openFiles } from './files.ts'
import { openSfu, openTraces } from './open-parts.ts'
import { connect } from './server.ts'

/** @throws {StartError} @throws the reason of `parts.stopping`, if the program must stop before the server is ready */
export async function startServer(config: Config, parts: Parts = {}): Promise<RunningServer> {
  const {
    stopping,
    now = Date.now,
    log = createLog(config.logLevel, logDestination(config.logFormat)),
  } = parts
  assertPortsApart(config)
  const startedAt = now()
  const cluster = await openCluster(config, now, log)
  const metrics = createMetrics({
    version,
    media: { workers: config.mediaWorkers, placement: config.mediaPlacement },
    now,
  })
  const core = await openCore(config, {
    fence: cluster?.homes,
    create: true,
    now,
    through: parts.through,
    onCommit: (...commit) => metrics.committed(...commit),
    onTrouble: (trouble, cause) => {
      metrics.storeAvailable(trouble === undefined)
      if (trouble) log.error({ trouble, err: cause }, 'failed to write to the store')
      else log.warn('resumed writing to the store')
    },
  }).catch(async (error: unknown) => {
    metrics.close()
    await cluster?.close()
    throw error
  })
  let media: Sfu | undefined
  let tracing: Tracing | undefined
  try {
    stopping?.throwIfAborted()
    tracing = await openTraces(config, log)
    media = parts.sfu ?? (await openSfu(config, log, stopping))
    if (cluster) media = widen(media, cluster, config, log)
    stopping?.throwIfAborted()
    const files = openFiles(config)
    return await connect({
      config,
      parts,
      now,
      log,
      startedAt,
      metrics,
      core,
      media,
      cluster,
      tracing,
      files,
    })
  } catch (error) {
    metrics.close()
    await tracing?.close()
    await media?.close()
    await cluster?.close()
    await core.store.close()
    throw error
  }
}
