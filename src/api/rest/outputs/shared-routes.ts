/** Routes that several kinds of outputs have. Each kind provides its path, its texts and its schema. */
import type { FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { OutputKind, OutputRecord } from '../../../store/store.ts'
import type { HttpContext } from '../../context.ts'
import { auditKindOf } from '../../../project/audit.ts'
import { pageInfoOf, pageOf } from '../../../protocol/rest.ts'
import {
  Acknowledgement,
  OutputParams,
  StopOutputBody,
  type WebhookCounts,
} from '../../../protocol/rest/outputs.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { outputFor } from '../authorise.ts'
import { describe, type Tag, type TypedApp } from '../describe.ts'
import {
  acknowledge,
  deleteOutput,
  listOutputs,
  namedIn,
  refusalsOf,
  stopOutput,
  type ListQuery,
} from './acts.ts'
import { withWebhookCount, withWebhookCounts } from './webhook-counts.ts'

/** An output in the shape of its kind, or a promise of it. */
type Present = (
  output: OutputRecord,
  baseUrl: string,
  request: FastifyRequest,
) => Presented | Promise<Presented>

interface Presented {
  id: string
  webhook?: WebhookCounts
}

interface OfKind {
  kind: OutputKind
  tag: Tag
  path: string
  summary: string
}

/** How the outputs of a kind are shown. */
interface Shown {
  shape: TSchema
  present: Present
}

/** The call names the meeting in its body. */
export const byBody = { meeting: ({ body }: { body: { roomId: string } }) => body.roomId }

/** The call names the output in its path. */
const byId = (kind: OutputKind) => ({
  output: ({ params }: { params: { id: string } }) => ({ kind, outputId: params.id }),
})

/** Adds the route that stops a meeting's output, under both names of the contract. */
export function addStop(
  app: TypedApp,
  context: HttpContext,
  { kind, tag, path, summary, text }: OfKind & { text: string },
): void {
  for (const name of ['end', 'stop'])
    app.post(
      `${path}/${name}`,
      describe({
        summary,
        audit: `${auditKindOf(kind)}.stop`,
        tag,
        access: 'token',
        action: 'output',
        about: byBody,
        refusals: refusalsOf(kind),
        body: StopOutputBody,
        answer: Acknowledgement,
      }),
      async (request, reply) => {
        const { id } = request.body
        await stopOutput(request, context, kind, ({ outputId }) => id == null || id === outputId)
        return acknowledge(reply, text)
      },
    )
}

/** Adds the route of a page of outputs, newest first. */
export function addList(
  app: TypedApp,
  context: HttpContext,
  { kind, tag, path, summary, query, shape, present }: OfKind & Shown & { query: TSchema },
): void {
  app.get(
    path,
    describe({
      summary,
      tag,
      access: 'token',
      action: 'watch',
      about: {
        meeting: (asked) => namedIn(asked.query as ListQuery),
        unnamed: 'project',
        missing: 'nothing',
      },
      query,
      answer: pageOf(shape),
    }),
    async (request) => {
      const asked = request.query as ListQuery
      const { items, total } = await listOutputs(request, context, kind, asked)
      const baseUrl = baseUrlOf(request, context.settings)
      const shown = await Promise.all(items.map(async (one) => present(one, baseUrl, request)))
      return {
        pageInfo: pageInfoOf(asked.page, asked.perPage, total),
        data: await withWebhookCounts(context.store, shown),
      }
    },
  )
}

/** Adds the route of one output. */
export function addFind(
  app: TypedApp,
  context: HttpContext,
  { kind, tag, path, summary, query, shape, present }: OfKind & Shown & { query?: TSchema },
): void {
  app.get(
    `${path}/:id`,
    describe({
      summary,
      tag,
      access: 'token',
      action: 'watch',
      about: byId(kind),
      params: OutputParams,
      ...(query && { query }),
      answer: shape,
    }),
    async (request) => {
      const shown = await present(outputFor(request), baseUrlOf(request, context.settings), request)
      return withWebhookCount(context.store, shown)
    },
  )
}

/** Adds the route that deletes an ended output and its files. */
export function addDelete(
  app: TypedApp,
  context: HttpContext,
  { kind, tag, path, summary, text }: OfKind & { text: string },
): void {
  app.delete(
    `${path}/:id`,
    describe({
      summary,
      audit: { action: `${auditKindOf(kind)}.delete`, tokens: true },
      tag,
      access: 'token',
      action: 'output',
      about: byId(kind),
      refusals: ['INVALID_STATE'],
      params: OutputParams,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      await deleteOutput(outputFor(request), context)
      return acknowledge(reply, text)
    },
  )
}
