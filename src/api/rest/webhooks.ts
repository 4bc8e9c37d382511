/** Routes of webhooks: the public key, and deliveries to inspect and replay. */
import type { FastifyRequest } from 'fastify'
import type { DeliveryAnswer, WholeDeliveryAnswer } from '../../protocol/rest/webhooks.ts'
import type { DeliveryRecord, WebhookSettings } from '../../store/store.ts'
import type { HttpSettings, Routes } from '../context.ts'
import { Refusal } from '../../protocol/errors.ts'
import {
  DeliveryPage,
  DeliveryParams,
  DeliveryQuery,
  PublicKeyAnswer,
  ReplayBody,
  ReplayedAnswer,
  WholeDeliveryAnswer as WholeDelivery,
} from '../../protocol/rest/webhooks.ts'
import { endPointProblem } from '../../webhook/guard.ts'
import { pageInfoOf } from '../../protocol/rest.ts'
import { grantFor, meetingIfAny } from './authorise.ts'
import { describe } from './describe.ts'

const tag = 'Webhooks'
const REPLAY_AT_ONCE = 200
const ofDelivery = {
  access: 'token',
  action: 'manage',
  about: { delivery: ({ params }: { params: { deliveryId: string } }) => params.deliveryId },
} as const

export const webhookRoutes: Routes = (app, context) => {
  const { store, now } = context

  const find = async (request: FastifyRequest, deliveryId: string): Promise<WholeDeliveryAnswer> => {
    const delivery = await store.outbox.get(grantFor(request).projectId, deliveryId)
    if (!delivery) throw new Refusal('NOT_FOUND', { message: 'There is no delivery with this id.' })
    const tries = await store.outbox.tries(deliveryId)
    return {
      ...toDelivery(delivery),
      // Whoever holds a token chooses the receiver: with WEBHOOK_ALLOW_PRIVATE they could read what is inside the network.
      tries: request.operator ? tries : tries.map((one) => ({ ...one, answer: null })),
      body: delivery.body,
    }
  }

  app.get(
    '/v2/public/rsa-public-key',
    describe({
      summary: 'Get the public key of webhook signatures',
      tag,
      access: 'open',
      answer: PublicKeyAnswer,
    }),
    async () => ({ publicKey: await context.webhookKey() }),
  )

  app.get(
    '/v2/webhooks/deliveries',
    describe({
      summary: 'List deliveries, newest first',
      tag,
      access: 'token',
      action: 'manage',
      about: { meeting: ({ query }) => query.roomId, unnamed: 'project' },
      query: DeliveryQuery,
      answer: DeliveryPage,
    }),
    async (request) => {
      const { page, perPage, state, event } = request.query
      const meeting = meetingIfAny(request)
      const { items, total } = await store.outbox.list(
        grantFor(request).projectId,
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
      summary: 'Get a delivery, with its body and its attempts',
      tag,
      ...ofDelivery,
      params: DeliveryParams,
      answer: WholeDelivery,
    }),
    (request) => find(request, request.params.deliveryId),
  )

  app.post(
    '/v2/webhooks/deliveries/:deliveryId/replay',
    describe({
      summary: 'Replay a delivery, with the same id, after those that already wait',
      audit: 'webhook.replay',
      description: 'A delivery that still waits is not changed.',
      tag,
      ...ofDelivery,
      params: DeliveryParams,
      answer: WholeDelivery,
    }),
    async (request) => {
      const { deliveryId } = request.params
      await store.outbox.replay(grantFor(request).projectId, deliveryId, now())
      return find(request, deliveryId)
    },
  )

  app.post(
    '/v2/webhooks/deliveries/replay',
    describe({
      summary: 'Replay all parked deliveries, oldest first',
      audit: { action: 'webhook.replay-all', facts: (_, { replayed }) => ({ replayed }) },
      tag,
      access: 'token',
      action: 'manage',
      about: 'project',
      body: ReplayBody,
      answer: ReplayedAnswer,
    }),
    async (request) => {
      const { projectId } = grantFor(request)
      const at = now()
      let replayed = 0
      for (let more = REPLAY_AT_ONCE; more === REPLAY_AT_ONCE; replayed += more)
        more = await store.outbox.replayParked(projectId, at, REPLAY_AT_ONCE)
      return { replayed }
    },
  )
}

/** Refuses a webhook to which nothing could be delivered. @throws {Refusal} */
export function assertWebhook(
  webhook: Pick<WebhookSettings, 'endPoint'> | undefined,
  { webhookAllowPrivate }: Pick<HttpSettings, 'webhookAllowPrivate'>,
): void {
  const problem = webhook && endPointProblem(webhook.endPoint, webhookAllowPrivate)
  if (problem !== undefined) throw new Refusal('INVALID_REQUEST', { message: `webhook.endPoint ${problem}.` })
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
