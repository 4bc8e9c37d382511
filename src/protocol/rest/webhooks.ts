/** Shapes of webhook deliveries in REST; not in the contract. */
import { Type, type Static } from 'typebox'
import { AtMs, pageFields, pageOf, RoomId } from '../rest.ts'

const State = Type.Union([Type.Literal('waiting'), Type.Literal('delivered'), Type.Literal('parked')])

export const DeliveryQuery = Type.Object({
  ...pageFields,
  state: Type.Optional(State),
  roomId: Type.Optional(RoomId),
  event: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
})

export const DeliveryParams = Type.Object({
  deliveryId: Type.String({ minLength: 1, maxLength: 64 }),
})

const delivery = {
  deliveryId: Type.String(),
  event: Type.String(),
  roomId: Type.String(),
  sessionId: Type.String(),
  endPoint: Type.String(),
  state: State,
  attempts: Type.Integer(),
  occurredAt: AtMs,
  nextAt: Type.Union([AtMs, Type.Null()], {
    description: 'null while it waits for an earlier delivery of its meeting',
  }),
  lastStatus: Type.Union([Type.Integer(), Type.Null()]),
  lastError: Type.Union([Type.String(), Type.Null()]),
  settledAt: Type.Union([AtMs, Type.Null()]),
}

export const DeliveryAnswer = Type.Object(delivery)
export type DeliveryAnswer = Static<typeof DeliveryAnswer>

const DeliveryTry = Type.Object({
  at: AtMs,
  tookMs: Type.Integer({ description: 'time from the request to the answer or the failure' }),
  status: Type.Union([Type.Integer(), Type.Null()], { description: 'null if there was no answer' }),
  error: Type.Union([Type.String(), Type.Null()], { description: 'null if it was accepted' }),
  answer: Type.Union([Type.String(), Type.Null()], {
    description:
      'the first 1024 bytes of the answer, for operators; null for a token, or if the answer has no body',
  }),
})
export type DeliveryTry = Static<typeof DeliveryTry>

export const WholeDeliveryAnswer = Type.Object({
  ...delivery,
  tries: Type.Array(DeliveryTry, {
    description: 'the latest 100 in order, including those before a replay',
  }),
  body: Type.String({ description: 'the exact body that is sent' }),
})
export type WholeDeliveryAnswer = Static<typeof WholeDeliveryAnswer>

export const DeliveryPage = pageOf(DeliveryAnswer)

export const ReplayBody = Type.Object({ state: Type.Literal('parked') })
export const ReplayedAnswer = Type.Object({ replayed: Type.Integer() })

export const PublicKeyAnswer = Type.Object({ publicKey: Type.String({ description: 'PKCS#1 PEM' }) })
