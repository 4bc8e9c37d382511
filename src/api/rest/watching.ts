/** The operator's routes for monitoring: metrics for a scraper, the current state, and measurements over time. */
import type { FastifyRequest } from 'fastify'
import type { HttpContext, Routes } from '../context.ts'
import { Type } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import { History, HistoryQuery, ServerStatus } from '../../protocol/rest/watching.ts'
import { CpuMeter } from '../../metrics/cpu-meter.ts'
import { ofAllNodes, thinned } from '../../metrics/history.ts'
import { bearerOf, isSameText } from '../http/credentials.ts'
import { describe } from './describe.ts'

/** The maximum number of points that a plot can show. */
const MOST_POINTS = 720
const DAY_MS = 86_400_000
/** The longest period that can be read. */
const LONGEST_MS = 400 * DAY_MS

export const watchingRoutes: Routes = (app, context) => {
  const { metrics, server, now, mediaStatus, store, settings, nodes } = context
  const meter = new CpuMeter(now())

  app.get(
    '/metrics',
    describe({
      summary: 'Get metrics for Prometheus',
      tag: 'Watching',
      access: 'open',
      pages: 'own',
      description:
        'Needs METRICS_TOKEN or the admin key, as a bearer token. Without METRICS_TOKEN it is open to this machine, while only this machine reaches the server.',
      answer: Type.String(),
      answerType: 'text/plain',
      refusals: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST'],
    }),
    async (request, reply) => {
      context.gate.assertMayGuess(request.raw)
      if (!mayScrape(request, context)) await context.admin.authorise(request, 'viewer')
      void reply.type(metrics.contentType).header('cache-control', 'no-store')
      return metrics.text()
    },
  )

  app.get(
    '/v2/admin/status',
    describe({
      summary: 'Get the current state of the server',
      tag: 'Watching',
      access: 'admin',
      role: 'viewer',
      answer: ServerStatus,
    }),
    async (): Promise<ServerStatus> => {
      const { readings } = metrics
      const media = mediaStatus()
      const [there, workers, webhooks, alerts, storeWorks] = await Promise.all([
        readings.meetings(),
        readings.workers(),
        readings.webhooks(),
        readings.alerts(),
        store.check().then(
          () => true,
          () => false,
        ),
      ])
      const at = now()
      const percents = meter.look(workers, at)
      const allNodes = nodes()
      return {
        version: server.version,
        state: server.state(),
        startedAt: server.startedAt,
        uptimeSeconds: Math.floor((at - server.startedAt) / 1000),
        ...there,
        media: {
          available: media.available,
          workersWanted: settings.mediaWorkers,
          placement: settings.mediaPlacement,
          workers: workers.map(
            ({ cpuSeconds: _, droppedDatagrams: __, deaths: ___, diedAgoMs: ____, ...placed }) => ({
              ...placed,
              cpuPercent: percents.get(placed.index) ?? 0,
            }),
          ),
          ...(!media.available && {
            reason: media.reason,
            ...(media.preparing && { preparing: media.preparing }),
          }),
        },
        store: { available: storeWorks },
        certificate: context.certificate(),
        webhooks,
        alerts,
        ...(allNodes && { nodes: allNodes }),
        eventLoopLagMs: Math.round(metrics.lagMs() * 10) / 10,
        memoryBytes: process.memoryUsage.rss(),
      }
    },
  )

  app.get(
    '/v2/admin/history',
    describe({
      summary: 'Get figures of the whole server, one point per minute or coarser',
      tag: 'Watching',
      access: 'admin',
      role: 'viewer',
      description: `From \`from\` to \`to\`, by default the last day, in at most ${MOST_POINTS} points. What happened (joins, refusals, …) is added up in a point that stands for several minutes, everything else averaged. Several nodes are added up.`,
      query: HistoryQuery,
      answer: History,
    }),
    async (request): Promise<History> => {
      const { to = now(), from = to - DAY_MS } = request.query
      if (from > to)
        throw new Refusal('INVALID_REQUEST', { message: 'query.from must not be after query.to.' })
      const samples = await store.figures.samples(Math.max(from, to - LONGEST_MS), to)
      return {
        data: thinned(ofAllNodes(samples), MOST_POINTS).map(({ at, figures }) => ({ ...figures, at })),
      }
    },
  )
}

function mayScrape(request: FastifyRequest, { settings: { metricsToken }, owner }: HttpContext): boolean {
  if (metricsToken === undefined) return owner.isHere(request, 'own')
  const given = bearerOf(request)
  return given !== undefined && isSameText(given, metricsToken)
}
