/** Livestreams of a meeting to RTMP servers (contract, outputs §3.4). */
import type { Routes } from '../../context.ts'
import { livestreamOrder } from '../../../meeting/outputs/orders.ts'
import { pageInfoOf, pageOf } from '../../../protocol/rest.ts'
import { Livestream, StartLivestreamBody } from '../../../protocol/rest/broadcasts.ts'
import {
  Acknowledgement,
  OutputParams,
  OutputsQuery,
  StopOutputBody,
} from '../../../protocol/rest/outputs.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { outputFor } from '../authorise.ts'
import { describe } from '../describe.ts'
import { acknowledge, listOutputs, namedIn, refusalsOf, startOutput, stopOutput } from './acts.ts'
import { toLivestream } from './present.ts'

const tag = 'Livestreams'
const refusals = refusalsOf('livestream')
const byBody = { meeting: ({ body }: { body: { roomId: string } }) => body.roomId }

export const livestreamRoutes: Routes = (app, context) => {
  const { settings } = context

  app.post(
    '/v2/livestreams/start',
    describe({
      summary: 'Send a meeting to RTMP servers',
      description: 'It answers at once; notifications and webhooks tell when it is sent.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: [...refusals, 'INVALID_LIVESTREAM_CONFIG'],
      body: StartLivestreamBody,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      await startOutput(request, context, livestreamOrder(request.body, baseUrlOf(request, settings)))
      return acknowledge(reply, 'Livestream started successfully')
    },
  )
  for (const path of ['/v2/livestreams/end', '/v2/livestreams/stop'])
    app.post(
      path,
      describe({
        summary: 'Stop sending a meeting to RTMP servers',
        tag,
        access: 'token',
        action: 'output',
        about: byBody,
        refusals,
        body: StopOutputBody,
        answer: Acknowledgement,
      }),
      async (request, reply) => {
        const { id } = request.body
        await stopOutput(request, context, 'livestream', ({ outputId }) => id == null || id === outputId)
        return acknowledge(reply, 'Livestream ended successfully')
      },
    )
  app.get(
    '/v2/livestreams',
    describe({
      summary: 'Livestreams, newest first',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ query }) => namedIn(query), unnamed: 'project', missing: 'nothing' },
      query: OutputsQuery,
      answer: pageOf(Livestream),
    }),
    async (request) => {
      const { page, perPage } = request.query
      const { items, total } = await listOutputs(request, context, 'livestream', request.query)
      const baseUrl = baseUrlOf(request, settings)
      return {
        pageInfo: pageInfoOf(page, perPage, total),
        data: items.map((one) => toLivestream(one, baseUrl)),
      }
    },
  )
  app.get(
    '/v2/livestreams/:id',
    describe({
      summary: 'A livestream',
      tag,
      access: 'token',
      action: 'watch',
      about: { output: ({ params }) => ({ kind: 'livestream', outputId: params.id }) as const },
      params: OutputParams,
      answer: Livestream,
    }),
    (request) => Promise.resolve(toLivestream(outputFor(request), baseUrlOf(request, settings))),
  )
}
