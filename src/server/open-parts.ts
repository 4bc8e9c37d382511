/** Opens what a server needs besides its store: media, traces, webhooks. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { locateWorker } from '../../scripts/media-worker/locate.mjs'
import type { Config } from '../config/read.ts'
import { createSfu } from '../media/create.ts'
import type { Sfu } from '../media/sfu.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Store } from '../store/store.ts'
import { openTracing, type Tracing } from '../tracing/open.ts'
import { version } from '../version.ts'
import { createWebhooks, type Webhooks } from '../webhook/create.ts'
import type { Parts } from './contract.ts'

const workerScript = join(import.meta.dirname, '../../scripts/media-worker.mjs')

export async function openSfu(config: Config, log: Logger, stopping: AbortSignal | undefined): Promise<Sfu> {
  const worker = locateWorker()
  const isOurs = worker?.source !== 'env' && config.prepareMedia
  return createSfu({
    workerBin: worker?.bin,
    preparation: isOurs ? { script: workerScript, find: () => locateWorker()?.bin } : undefined,
    workers: config.mediaWorkers,
    firstPort: config.mediaPort,
    listenAddress: config.host,
    announcedAddresses: config.announcedAddresses,
    domain: config.domain,
    workerLog: config.mediaLog,
    sharedTcpPort: config.mediaTcpOnHttps ? httpsPortOf(config) : undefined,
    placement: config.mediaPlacement,
    hosts:
      config.nodeAddress === undefined ? undefined : { address: config.nodeAddress, ports: config.pipePorts },
    stopping,
    log,
  })
}

/** The HTTPS port that people see. */
function httpsPortOf({ publicUrl, httpsPort }: Config): number {
  const outside = publicUrl === undefined ? undefined : new URL(publicUrl)
  return outside?.protocol === 'https:' ? Number(outside.port || '443') : httpsPort
}

/** Undefined if no collector is set. */
export async function openTraces(
  { traceEndpoint: endpoint, traceHeaders: headers = {}, traceService: serviceName, traceShare }: Config,
  log: Logger,
): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined
  return openTracing({
    endpoint,
    headers,
    serviceName,
    version,
    share: traceShare,
    onTrouble: (cause) =>
      cause
        ? log.warn({ reason: cause.message }, 'failed to send traces to the collector')
        : log.info('resumed sending traces to the collector'),
  })
}

/** Sends events to backends; not started yet. */
export function openWebhooks(
  settings: Config,
  store: Store,
  { now = Date.now, resolve }: Parts,
  log: Logger,
  metrics: Metrics,
): Webhooks {
  return createWebhooks({
    outbox: store.outbox,
    secrets: store.secrets,
    projects: store.projects,
    timeoutMs: settings.webhookTimeoutSeconds * 1000,
    giveUpAfterMs: settings.webhookRetryHours * 3_600_000,
    allowPrivate: settings.webhookAllowPrivate,
    now,
    random: Math.random,
    newDeliveryId: randomUUID,
    ...(resolve && { resolve }),
    onSettled: ({ deliveryId, event, meetingId, attempts }, { state, status }) => {
      metrics.delivered(state === 'waiting' ? 'retried' : state)
      const fields = { deliveryId, event, meetingId, attempts: attempts + 1, status }
      if (state === 'parked') log.warn(fields, 'gave up a webhook delivery')
      else
        log.info(
          fields,
          state === 'delivered'
            ? 'delivered an event'
            : 'postponed a webhook delivery after a failed attempt',
        )
    },
    onError: (error, doing) => log.error({ err: error }, doing),
  })
}
