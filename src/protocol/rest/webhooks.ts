/** Shapes of the deliveries of webhooks over REST: ours, beyond the contract. */
import { Type, type Static } from 'typebox'
import { pageOf } from '../rest.ts'

const Instant = Type.Integer({ description: 'ms since the epoch' })
const State = Type.Union([Type.Literal('waiting'), Type.Literal('delivered'), Type.Literal('parked')])

export const DeliveryQuery = Type.Object({
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
  perPage: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  state: Type.Optional(State),
  roomId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
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
  occurredAt: Instant,
  nextAt: Type.Union([Instant, Type.Null()], {
    description: 'null while it stands in line behind another of its meeting',
  }),
  lastStatus: Type.Union([Type.Integer(), Type.Null()]),
  lastError: Type.Union([Type.String(), Type.Null()]),
  settledAt: Type.Union([Instant, Type.Null()]),
}

export const DeliveryAnswer = Type.Object(delivery)
export type DeliveryAnswer = Static<typeof DeliveryAnswer>

export const WholeDeliveryAnswer = Type.Object({
  ...delivery,
  body: Type.String({ description: 'what is sent, to the byte' }),
})
export type WholeDeliveryAnswer = Static<typeof WholeDeliveryAnswer>

export const DeliveryPage = pageOf(DeliveryAnswer)

export const ReplayBody = Type.Object({ state: Type.Literal('parked') })
export const ReplayedAnswer = Type.Object({ replayed: Type.Integer() })

export const PublicKeyAnswer = Type.Object({ publicKey: Type.String({ description: 'PKCS#1 PEM' }) })
