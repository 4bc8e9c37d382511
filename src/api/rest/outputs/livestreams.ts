/** Livestreams of a meeting to RTMP servers (contract, outputs §3.4). */
import type { Routes } from '../../context.ts'
import { livestreamOrder } from '../../../meeting/outputs/orders.ts'
import { Livestream, StartLivestreamBody } from '../../../protocol/rest/broadcasts.ts'
import { Acknowledgement, OutputsQuery } from '../../../protocol/rest/outputs.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { describe } from '../describe.ts'
import { acknowledge, refusalsOf, startOutput } from './acts.ts'
import { toLivestream } from './present.ts'
import { addFind, addList, addStop, byBody } from './shared-routes.ts'

const ofKind = { kind: 'livestream', tag: 'Livestreams', path: '/v2/livestreams' } as const
const shown = { shape: Livestream, present: toLivestream }

export const livestreamRoutes: Routes = (app, context) => {
  const { kind, tag, path } = ofKind

  app.post(
    `${path}/start`,
    describe({
      summary: 'Send a meeting to RTMP servers',
      audit: 'livestream.start',
      description: 'The answer comes at once; notifications and webhooks report the start.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: [...refusalsOf(kind), 'INVALID_LIVESTREAM_CONFIG'],
      body: StartLivestreamBody,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      await startOutput(request, context, livestreamOrder(request.body, baseUrlOf(request, context.settings)))
      return acknowledge(reply, 'Livestream started successfully')
    },
  )
  addStop(app, context, {
    ...ofKind,
    summary: 'Stop sending a meeting to RTMP servers',
    text: 'Livestream ended successfully',
  })
  addList(app, context, {
    ...ofKind,
    ...shown,
    summary: 'List livestreams, newest first',
    query: OutputsQuery,
  })
  addFind(app, context, { ...ofKind, ...shown, summary: 'Get a livestream' })
}
