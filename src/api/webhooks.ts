/** Webhooks over REST: the key that verifies them, and their deliveries to look at and replay. */
import type { FastifyRequest } from 'fastify'
import type { DeliveryAnswer, WholeDeliveryAnswer } from '../protocol/rest/webhooks.ts'
import type { DeliveryRecord, WebhookSettings } from '../store/store.ts'
import type { HttpContext, HttpSettings, Routes } from './context.ts'
import { Refusal } from '../protocol/errors.ts'
import {
  DeliveryPage,
  DeliveryParams,
  DeliveryQuery,
  PublicKeyAnswer,
  ReplayBody,
  ReplayedAnswer,
  WholeDeliveryAnswer as WholeDelivery,
} from '../protocol/rest/webhooks.ts'
import { assertMayUseRest } from '../token/token.ts'
import { endPointProblem } from '../webhook/webhook.ts'
import { pageInfoOf } from '../protocol/rest.ts'
import { describe } from './describe.ts'
import { grantFor, idsOf } from './own.ts'

const tag = 'Webhooks'
const REPLAY_AT_ONCE = 200

export const webhookRoutes: Routes = (app, context) => {
  const { store, now } = context

  app.get(
    '/v2/public/rsa-public-key',
    describe({
      summary: 'The key that verifies the signature of a webhook',
      tag,
      access: 'open',
      answer: PublicKeyAnswer,
    }),
    async () => ({ publicKey: await context.webhookKey() }),
  )

  app.get(
    '/v2/webhooks/deliveries',
    describe({
      summary: 'Deliveries, newest first',
      tag,
      access: 'token',
      query: DeliveryQuery,
      answer: DeliveryPage,
      refusals: ['INVALID_MEETING_ID', 'UNAUTHORIZED_MEETING_ID', 'INVALID_PERMISSIONS'],
    }),
    async (request) => {
      const { page, perPage, state, roomId, event } = request.query
      const grant = grantFor(request, context, 'manage')
      const meeting = roomId === undefined ? undefined : await context.catalogue.find(grant.projectId, roomId)
      assertMayUseRest(grant, roomId === undefined ? {} : { roomId: meeting ? idsOf(meeting) : roomId })
      if (roomId !== undefined && !meeting)
        throw new Refusal('INVALID_MEETING_ID', { message: 'Room not found.' })
      const { items, total } = await store.outbox.list(
        grant.projectId,
        { page, perPage },
        {
          ...(state !== undefined && { state }),
          ...(meeting && { meetingId: meeting.meetingId }),
          ...(event !== undefined && { event }),
        },
      )
      return {
        pageInfo: pageInfoOf(page, perPage, total),
        data: items.map(toDelivery),
      }
    },
  )

  app.get(
    '/v2/webhooks/deliveries/:deliveryId',
    describe({
      summary: 'One delivery, with what it says',
      tag,
      access: 'token',
      params: DeliveryParams,
      answer: WholeDelivery,
      refusals: ['NOT_FOUND', 'UNAUTHORIZED_MEETING_ID', 'INVALID_PERMISSIONS'],
    }),
    async (request) => toWholeDelivery(await find(request, request.params.deliveryId, context)),
  )

  app.post(
    '/v2/webhooks/deliveries/:deliveryId/replay',
    describe({
      summary: 'Delivers again, with the same id and behind what waits already',
      description: 'A delivery that still waits is left as it is.',
      tag,
      access: 'token',
      params: DeliveryParams,
      answer: WholeDelivery,
      refusals: ['NOT_FOUND', 'UNAUTHORIZED_MEETING_ID', 'INVALID_PERMISSIONS'],
    }),
    async (request) => {
      const { deliveryId, projectId } = await find(request, request.params.deliveryId, context)
      await store.outbox.replay(projectId, deliveryId, now())
      return toWholeDelivery(await find(request, deliveryId, context))
    },
  )

  app.post(
    '/v2/webhooks/deliveries/replay',
    describe({
      summary: 'Delivers again all that was given up, oldest first',
      tag,
      access: 'token',
      wholeProject: true,
      body: ReplayBody,
      answer: ReplayedAnswer,
    }),
    async (request) => {
      const { projectId } = grantFor(request, context, 'manage')
      const at = now()
      let replayed = 0
      for (let more = REPLAY_AT_ONCE; more === REPLAY_AT_ONCE; replayed += more)
        more = await store.outbox.replayParked(projectId, at, REPLAY_AT_ONCE)
      return { replayed }
    },
  )
}

/** Refuses a webhook that nothing could ever be delivered to. @throws {Refusal} */
export function assertWebhook(
  webhook: Pick<WebhookSettings, 'endPoint'> | undefined,
  { webhookAllowPrivate }: Pick<HttpSettings, 'webhookAllowPrivate'>,
): void {
  const problem = webhook && endPointProblem(webhook.endPoint, webhookAllowPrivate)
  if (problem !== undefined) throw new Refusal('INVALID_REQUEST', { message: `webhook.endPoint ${problem}.` })
}

/** A delivery that this request may see. @throws {Refusal} */
async function find(
  request: FastifyRequest,
  deliveryId: string,
  context: HttpContext,
): Promise<DeliveryRecord> {
  const grant = grantFor(request, context, 'manage')
  const delivery = await context.store.outbox.get(grant.projectId, deliveryId)
  const meeting = delivery && (await context.store.meetings.get(delivery.meetingId))
  assertMayUseRest(grant, meeting ? { roomId: idsOf(meeting) } : {})
  if (!delivery) throw new Refusal('NOT_FOUND', { message: 'There is no delivery with this id.' })
  return delivery
}

function toWholeDelivery(delivery: DeliveryRecord): WholeDeliveryAnswer {
  return { ...toDelivery(delivery), body: delivery.body }
}

function toDelivery(delivery: DeliveryRecord): DeliveryAnswer {
  const { deliveryId, event, meetingId, sessionId, endPoint, state } = delivery
  const { attempts, occurredAt, nextAt, lastStatus, lastError, settledAt } = delivery
  return {
    deliveryId,
    event,
    roomId: meetingId,
    sessionId,
    endPoint,
    state,
    attempts,
    occurredAt,
    nextAt,
    lastStatus,
    lastError,
    settledAt,
  }
}
