/**
 * The server's metrics in Prometheus's form. Labels are routes, codes and kinds, of which there are
 * only a few, and for usage the projects and API keys; never the id of a person or a meeting. Counting is an addition; present values
 * are read when scraped, once per meeting and worker, never per participant.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ErrorName } from '../protocol/errors.ts'
import { Answers } from './answers.ts'
import { addAlertGauges } from './alert-gauges.ts'
import { addBacklogGauges, type Backlog } from './backlog-gauges.ts'
import type { Alert } from './alerts.ts'
import { addCertificateGauges, type CertificateReading } from './certificate-gauges.ts'
import { addClusterGauges, type ClusterReading } from './cluster-gauges.ts'
import { addUsageGauges, type UsageReading } from './usage-gauges.ts'

/** The present values, read when scraped. */
export interface Readings {
  meetings(): Promise<{ meetings: number; participants: number; entryRequests: number }>
  sockets(): { meeting: number; chat: number }
  /** Empty if media is off. A worker that is being replaced is missing. */
  workers(): Promise<WorkerReading[]>
  webhooks(): Promise<Backlog>
  usage(): Promise<UsageReading[]>
  /** Undefined: this server is not one of several nodes. */
  cluster(): ClusterReading | undefined
  /** Undefined until the listener is open. */
  certificate(): CertificateReading | undefined
  /** @param counted the backlog of webhooks, if the caller has counted it already */
  alerts(counted?: Backlog): Promise<Alert[]>
}

export interface WorkerReading {
  /** Counted from 0, in the order of the media ports. */
  index: number
  port: number
  /** CPU time since the worker's start. */
  cpuSeconds: number
  /** Meetings that use the worker. */
  routers: number
  /** Members of meetings whose transports are on the worker. */
  members: number
  /** Streams that clients send to the worker, and that it sends to clients. */
  producers: number
  consumers: number
  /** Streams that the worker receives from other workers, and that it sends to them. */
  pipesIn: number
  pipesOut: number
  /** Packets that the system dropped before the worker read them; undefined if the system does not say. */
  droppedDatagrams?: number | undefined
  deaths?: number
  diedAgoMs?: number
}

/** Media of the whole server: bits per second, and scores from 1 to 4.5. */
export interface Flow {
  receiveBitrate: number
  sendBitrate: number
  audioScore: number | null
  videoScore: number | null
}

/** Where a caller was refused. */
export type Door = 'http' | 'socket' | 'chat'

/** Totals since the start of this process. */
export interface Totals {
  joins: number
  refusals: number
  chatMessages: number
  requests: number
  storeWrites: number
}

export interface Metrics {
  /** Counts an answered HTTP request; `route` as registered, `none` if no route matched. */
  answered(method: string, route: string, status: number, seconds: number): void
  /** Counts a refusal once, even if it is sent twice, as an answer and on closing. */
  refused(door: Door, refusal: { readonly code: ErrorName }): void
  /** Counts a join and the time since the entry request, or since admission if it had to wait. */
  joined(entry: 'direct' | 'admitted', seconds: number): void
  /** Counts a group of writes that reached the disk. */
  committed(writes: number, seconds: number): void
  /** Sets whether the last write to the store succeeded. */
  storeAvailable(available: boolean): void
  chatMessage(): void
  delivered(outcome: 'delivered' | 'retried' | 'parked'): void
  /** Sets the newest measurement of all media. */
  flows(flow: Flow): void
  readonly flow: Flow | undefined
  readonly totals: Readonly<Totals>
  readonly readings: Readings
  /** Sets the functions that read present values; before that, all are empty. */
  setReaders(readings: Readings): void
  /** Lag of the event loop: 99th percentile since the last minute began. */
  lagMs(): number
  /** Restarts the measurement of the lag. */
  forgetLag(): void
  /** The text for a scraper, and its content type. */
  text(): Promise<string>
  readonly contentType: string
  close(): void
}

export interface MetricsOptions {
  version: string
  /** How many media workers are to run, and how members of a meeting are placed on them. */
  media: { workers: number; placement: string }
  now: () => number
}

const nothing: Readings = {
  meetings: () => Promise.resolve({ meetings: 0, participants: 0, entryRequests: 0 }),
  sockets: () => ({ meeting: 0, chat: 0 }),
  workers: () => Promise.resolve([]),
  webhooks: () => Promise.resolve({ waiting: 0, parked: 0, oldestAt: null }),
  usage: () => Promise.resolve([]),
  cluster: () => undefined,
  certificate: () => undefined,
  alerts: () => Promise.resolve([]),
}
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** Sampling interval of the event loop in ms, which does not count as lag. A shorter one would be most of the work of an idle server. */
const LAG_RESOLUTION_MS = 200
const NS_IN_MS = 1e6
const HOUR_MS = 3_600_000

export function createMetrics({ version, media, now }: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const totals: Totals = { joins: 0, refusals: 0, chatMessages: 0, requests: 0, storeWrites: 0 }
  const reported = new WeakSet<object>()
  let readings = nothing
  let flow: Flow | undefined
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  const lagMs = (quantile = 99): number =>
    lag.count === 0 ? 0 : Math.max(0, lag.percentile(quantile) / NS_IN_MS - LAG_RESOLUTION_MS)
  // prom-client's own monitor would wake the process a hundred times a second, and counts its pauses as lag.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: HOUR_MS })
  for (const figure of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'])
    registry.removeSingleMetric(`nodejs_eventloop_lag_${figure}_seconds`)

  new Gauge({ registers, name: 'anteroom_info', help: 'Always 1.', labelNames: ['version'] }).set(
    { version },
    1,
  )

  const answers = new Answers(registry)
  const refusals = new Counter({
    registers,
    name: 'anteroom_refusals_total',
    help: 'Refusals by code, at the door where they were told.',
    labelNames: ['door', 'code'],
  })
  const joinSeconds = new Histogram({
    registers,
    name: 'anteroom_join_seconds',
    help: 'From the request to come in (or from being let in, where somebody had to answer) to the answer to join.',
    labelNames: ['entry'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  })
  const commitSeconds = new Histogram({
    registers,
    name: 'anteroom_store_commit_seconds',
    help: 'For one group of writes to reach the disk.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2],
  })
  const writes = new Counter({
    registers,
    name: 'anteroom_store_writes_total',
    help: 'Writes that reached the disk; several go in one group.',
  })
  const chatMessages = new Counter({
    registers,
    name: 'anteroom_chat_messages_total',
    help: 'Chat messages that were taken.',
  })
  const deliveries = new Counter({
    registers,
    name: 'anteroom_webhook_deliveries_total',
    help: 'Attempts to deliver an event to a webhook, by what came of them.',
    labelNames: ['outcome'],
  })
  // Events that have not happened yet are 0, not unknown.
  for (const entry of ['direct', 'admitted']) joinSeconds.zero({ entry })
  for (const outcome of ['delivered', 'retried', 'parked']) deliveries.inc({ outcome }, 0)

  const meetings = new Gauge({
    registers,
    name: 'anteroom_meetings',
    help: 'Meetings with a session that goes on.',
  })
  const participants = new Gauge({
    registers,
    name: 'anteroom_participants',
    help: 'Participants in meetings.',
  })
  const entryRequests = new Gauge({
    registers,
    name: 'anteroom_entry_requests',
    help: 'Entry requests that wait for an answer.',
  })
  new Gauge({
    registers,
    name: 'anteroom_sockets',
    help: 'Open sockets.',
    labelNames: ['kind'],
    collect() {
      for (const [kind, count] of Object.entries(readings.sockets())) this.set({ kind }, count)
    },
  })
  new Gauge({
    registers,
    name: 'anteroom_media_workers_wanted',
    help: 'Media workers that are to run (MEDIA_WORKERS).',
  }).set(media.workers)
  new Gauge({
    registers,
    name: 'anteroom_media_placement',
    help: 'Always 1: how members of a meeting are placed on media workers (MEDIA_PLACEMENT).',
    labelNames: ['placement'],
  }).set({ placement: media.placement }, 1)
  const workerSeconds = new Counter({
    registers,
    name: 'anteroom_media_worker_cpu_seconds_total',
    help: 'Processor time of each media worker since its start.',
    labelNames: ['worker'],
  })
  const workerRouters = new Gauge({
    registers,
    name: 'anteroom_media_worker_meetings',
    help: 'Meetings that have media on a worker; a large one is on several.',
    labelNames: ['worker'],
  })
  const workerPort = new Gauge({
    registers,
    name: 'anteroom_media_worker_port',
    help: 'Port at which a worker takes and sends media.',
    labelNames: ['worker'],
  })
  const workerMembers = new Gauge({
    registers,
    name: 'anteroom_media_worker_members',
    help: 'Participants and programs whose media a worker carries.',
    labelNames: ['worker'],
  })
  const workerStreams = new Gauge({
    registers,
    name: 'anteroom_media_worker_streams',
    help: 'Streams that clients send to a worker, and that it sends to clients.',
    labelNames: ['worker', 'direction'],
  })
  const workerPipes = new Gauge({
    registers,
    name: 'anteroom_media_worker_pipes',
    help: 'Streams that a worker has from other workers, and that it sends to them.',
    labelNames: ['worker', 'direction'],
  })
  const workerDrops = new Counter({
    registers,
    name: 'anteroom_media_worker_dropped_datagrams_total',
    help: 'Datagrams that reached the port of a media worker and were lost there, as its buffer was full.',
    labelNames: ['worker'],
  })
  new Gauge({
    registers,
    name: 'anteroom_media_bitrate',
    help: 'Media of all participants, in bits per second, as last measured.',
    labelNames: ['direction'],
    collect() {
      this.set({ direction: 'in' }, flow?.receiveBitrate ?? 0)
      this.set({ direction: 'out' }, flow?.sendBitrate ?? 0)
    },
  })
  new Gauge({
    registers,
    name: 'anteroom_media_score',
    help: 'Mean quality score of all participants, from 1 to 4.5, as last measured; absent while nothing flows.',
    labelNames: ['kind'],
    collect() {
      this.reset()
      const { audioScore = null, videoScore = null } = flow ?? {}
      if (audioScore !== null) this.set({ kind: 'audio' }, audioScore)
      if (videoScore !== null) this.set({ kind: 'video' }, videoScore)
    },
  })
  addClusterGauges(registers, () => readings.cluster())
  addCertificateGauges(registers, () => readings.certificate())
  let counted: Backlog | undefined
  addAlertGauges(registers, () => readings.alerts(counted))
  const storeUp = new Gauge({
    registers,
    name: 'anteroom_store_available',
    help: '1 while the store takes what is written, 0 while it does not: joining, chat that is kept and removals are refused.',
  })
  storeUp.set(1)
  const showBacklog = addBacklogGauges(registers, now)
  const showUsage = addUsageGauges(registers)
  new Gauge({
    registers,
    name: 'anteroom_event_loop_lag_seconds',
    help: 'How late the event loop came to what was due, since the last minute began.',
    labelNames: ['quantile'],
    collect() {
      this.set({ quantile: '0.5' }, lagMs(50) / 1000)
      this.set({ quantile: '0.99' }, lagMs(99) / 1000)
    },
  })

  /** Reads all values before it reports: prom-client does not wait for one metric that sets another. */
  const read = async (): Promise<void> => {
    const [there, workers, webhooks, usage] = await Promise.all([
      readings.meetings(),
      readings.workers(),
      // If the store cannot be read, another metric says so; the rest must still be visible then.
      readings.webhooks().catch(() => ({ waiting: 0, parked: 0, oldestAt: null })),
      readings.usage().catch(() => []),
    ])
    meetings.set(there.meetings)
    participants.set(there.participants)
    entryRequests.set(there.entryRequests)
    workerSeconds.reset()
    for (const figure of [workerPort, workerRouters, workerMembers, workerStreams, workerPipes])
      figure.reset()
    workerDrops.reset()
    for (const { index: worker, droppedDatagrams, ...reading } of workers) {
      workerSeconds.inc({ worker }, reading.cpuSeconds)
      workerPort.set({ worker }, reading.port)
      workerRouters.set({ worker }, reading.routers)
      workerMembers.set({ worker }, reading.members)
      workerStreams.set({ worker, direction: 'in' }, reading.producers)
      workerStreams.set({ worker, direction: 'out' }, reading.consumers)
      workerPipes.set({ worker, direction: 'in' }, reading.pipesIn)
      workerPipes.set({ worker, direction: 'out' }, reading.pipesOut)
      if (droppedDatagrams !== undefined) workerDrops.inc({ worker }, droppedDatagrams)
    }
    counted = webhooks
    showBacklog(webhooks)
    showUsage(usage)
  }

  return {
    answered(method, route, status, seconds) {
      totals.requests++
      answers.add(METHODS.has(method) ? method : 'other', route, status, seconds)
    },
    refused(door, refusal) {
      if (reported.has(refusal)) return
      reported.add(refusal)
      totals.refusals++
      refusals.inc({ door, code: refusal.code })
    },
    joined(entry, seconds) {
      totals.joins++
      joinSeconds.observe({ entry }, seconds)
    },
    committed(count, seconds) {
      totals.storeWrites += count
      writes.inc(count)
      commitSeconds.observe(seconds)
    },
    storeAvailable: (available) => storeUp.set(available ? 1 : 0),
    chatMessage() {
      totals.chatMessages++
      chatMessages.inc()
    },
    delivered: (outcome) => deliveries.inc({ outcome }),
    flows(measured) {
      flow = measured
    },
    get flow() {
      return flow
    },
    totals,
    get readings() {
      return readings
    },
    setReaders(those) {
      readings = those
    },
    lagMs: () => lagMs(),
    forgetLag: () => lag.reset(),
    text: () => read().then(() => registry.metrics()),
    contentType: registry.contentType,
    close() {
      lag.disable()
      registry.clear()
    },
  }
}
