/** Health checks: whether the server is up, and which parts are off. */
import type { HttpContext, Routes } from '../context.ts'
import type { MediaStatus } from '../../media/sfu.ts'
import type { StoreTrouble } from '../../store/store.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { Type } from 'typebox'
import { asRefusal } from '../../protocol/errors.ts'
import { Health, Readiness, type ServerState } from '../../protocol/rest/watching.ts'
import { describe } from './describe.ts'

/** If an event waits longer than this, its receiver is down or nothing delivers. */
const WEBHOOKS_STUCK_MS = 15 * 60_000
/** The longest time that a health check takes. */
const STORE_PATIENCE_MS = 2000
/** So long several nodes stay ready without their database, for the people of meetings that go on. */
const STORE_BRIDGED_MS = 60_000
const troubles: Record<StoreTrouble, string> = {
  full: 'The disk is full.',
  'read-only': 'The data folder cannot be written to.',
  locked: 'Another program holds the database.',
  damaged: 'The database is damaged.',
  failing: 'The disk does not answer as it should.',
  away: 'The database server does not answer.',
}

const notServing: Record<Exclude<ServerState, 'serving'>, string> = {
  stopping: 'The server is stopping.',
  draining: 'The node is being drained: it takes no new meetings, and its meetings move to other nodes.',
}

export const healthRoutes: Routes = (app, context) => {
  const { mediaStatus, hls } = context
  const store: StoreWatch = { workedAt: context.now() }
  const health = describe({
    summary: 'Check whether the store works and media is on; 503 if the store does not',
    tag: 'Watching',
    access: 'open',
    answer: Health,
    otherAnswers: { 503: Health },
  })
  app.get('/health', health, async (_request, reply): Promise<Health> => {
    const media = mediaStatus()
    const { unavailable } = hls
    const trouble = await storeTrouble(context)
    const storeWorks = trouble === undefined
    void reply.code(storeWorks ? 200 : 503).header('cache-control', 'no-store')
    return {
      status: storeWorks ? 'ok' : 'failing',
      store: { available: storeWorks, ...(trouble !== undefined && { reason: trouble }) },
      media: media.available
        ? { available: true, workers: media.workers, tried: media.tried }
        : { available: false, reason: media.reason, ...preparingOf(media) },
      recordings: unavailable === undefined ? { available: true } : { available: false, reason: unavailable },
      certificate: context.certificate(),
    }
  })
  app.get(
    '/health/live',
    describe({
      summary: 'Check that the process runs',
      tag: 'Watching',
      access: 'open',
      answer: Type.Object({ status: Type.Literal('ok') }),
    }),
    (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }),
  )
  app.get(
    '/health/ready',
    describe({
      summary: 'Check whether people can join, and what is missing; 503 if they cannot',
      tag: 'Watching',
      access: 'open',
      answer: Readiness,
      otherAnswers: { 503: Readiness },
    }),
    async (_request, reply) => {
      const readiness = await readinessOf(context, store)
      void reply.code(readiness.ready ? 200 : 503).header('cache-control', 'no-store')
      return readiness
    },
  )
  // Used by the published client's connection check (contract, signalling §1.4).
  const ping = describe({
    summary: 'Answer `pong`',
    tag: 'Watching',
    access: 'open',
    answer: Type.String(),
    answerType: 'text/plain',
  })
  app.get('/ping', ping, (_request, reply) => reply.type('text/plain').send('pong'))
}

/** When the store last worked, in ms since the epoch. */
interface StoreWatch {
  workedAt: number
}

/**
 * Nodes go on with their meetings while the database is away, and must stay reachable for those who lose their line. If it does not come
 * back, or nobody is inside, nothing is gained by that.
 */
function isBridged({ nodes, now }: HttpContext, { workedAt }: StoreWatch): boolean {
  const people = (nodes() ?? []).reduce((sum, { participants }) => sum + participants, 0)
  return people > 0 && now() - workedAt < STORE_BRIDGED_MS
}

async function readinessOf(context: HttpContext, store: StoreWatch): Promise<Readiness> {
  const { mediaStatus, metrics, now, server } = context
  const media = mediaStatus()
  const [trouble, backlog] = await Promise.all([
    storeTrouble(context),
    metrics.readings.webhooks().catch(() => ({ waiting: 0, oldestAt: null })),
  ])
  const missing: Readiness['missing'] = []
  const troubled: Readiness['troubled'] = []
  const state = server.state()
  if (state !== 'serving') missing.push({ part: 'server', reason: notServing[state] })
  if (trouble === undefined) store.workedAt = now()
  else (isBridged(context, store) ? troubled : missing).push({ part: 'store', reason: trouble })
  if (!media.available) missing.push({ part: 'media', reason: media.reason, ...preparingOf(media) })
  else if (media.workers < media.ports.length) {
    troubled.push({
      part: 'media',
      reason: `Only ${media.workers} of ${media.ports.length} media workers run; the others are being replaced.`,
    })
  }
  const waitedMs = backlog.oldestAt === null ? 0 : now() - backlog.oldestAt
  if (waitedMs > WEBHOOKS_STUCK_MS) {
    const minutes = Math.floor(waitedMs / 60_000)
    troubled.push({
      part: 'webhooks',
      reason: `${backlog.waiting} events are not delivered, the oldest for ${minutes} minutes.`,
    })
  }
  const { problem } = context.certificate()
  if (problem !== undefined) troubled.push({ part: 'certificate', reason: problem })
  return { ready: missing.length === 0, missing, troubled }
}

function preparingOf({ preparing }: Extract<MediaStatus, { available: false }>) {
  return preparing ? { preparing } : {}
}

/** What is wrong with the store, in a sentence; undefined if it works. */
async function storeTrouble({ store }: HttpContext): Promise<string | undefined> {
  const late = new AbortController()
  try {
    const answered = await Promise.race([
      store.check().then(() => true),
      delay(STORE_PATIENCE_MS, false, { signal: late.signal, ref: false }),
    ])
    return answered ? undefined : 'The store does not answer.'
  } catch (error) {
    const { reason = '' } = asRefusal(error)
    return reason in troubles ? troubles[reason as StoreTrouble] : 'The store does not work.'
  } finally {
    late.abort()
  }
}
