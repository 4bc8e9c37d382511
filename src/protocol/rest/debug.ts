/** The shape of the media of a live meeting, for the operator. */
import { Type, type Static } from 'typebox'
import { StreamKind } from '../media.ts'
import { modeNames, type Mode } from '../modes.ts'

const Id = Type.String()
const Name = Type.String()
const Ice = Type.Union([
  Type.Literal('new'),
  Type.Literal('connected'),
  Type.Literal('completed'),
  Type.Literal('disconnected'),
  Type.Literal('closed'),
])
const Dtls = Type.Union([
  Type.Literal('new'),
  Type.Literal('connecting'),
  Type.Literal('connected'),
  Type.Literal('failed'),
  Type.Literal('closed'),
])

const Pair = Type.Object(
  {
    protocol: Type.Union([Type.Literal('udp'), Type.Literal('tcp')]),
    localAddress: Type.String({ description: 'the address that the client was given' }),
    localPort: Type.Integer(),
    remoteAddress: Type.Union([Type.String(), Type.Null()]),
    remotePort: Type.Union([Type.Integer(), Type.Null()]),
  },
  { description: 'the addresses in use' },
)

const Score = Type.Number({ description: 'from 0 (nothing arrives) to 10 (everything arrives)' })

const TransportInspection = Type.Object({
  transportId: Id,
  direction: Type.Union([Type.Literal('send'), Type.Literal('receive')], {
    description: 'from the client’s point of view',
  }),
  worker: Type.Integer({
    minimum: 0,
    description: 'the index of its media worker, as in the status of the server',
  }),
  ice: Ice,
  dtls: Dtls,
  selectedPair: Type.Union([Pair, Type.Null()]),
  fromClientBitrate: Type.Number({ description: 'current bits per second' }),
  toClientBitrate: Type.Number({ description: 'current bits per second' }),
})

const ProducerInspection = Type.Object({
  producerId: Id,
  kind: StreamKind,
  paused: Type.Boolean(),
  scores: Type.Array(Score, { description: 'one per encoding that has arrived, smallest first' }),
})

const ConsumerInspection = Type.Object({
  consumerId: Id,
  producerId: Id,
  ownerId: Type.String({ description: 'the participant who sends the stream' }),
  kind: StreamKind,
  paused: Type.Object({
    byProducer: Type.Boolean(),
    byClient: Type.Boolean(),
    byServer: Type.Boolean({ description: 'by adaptive subscription' }),
  }),
  offered: Type.Boolean({ description: 'the client has not answered the offer yet' }),
  score: Score,
  producerScore: Score,
  layers: Type.Union(
    [
      Type.Object({ spatial: Type.Integer(), temporal: Type.Union([Type.Integer(), Type.Null()]) }),
      Type.Null(),
    ],
    { description: 'the layers now sent; null if there are none, and for a stream with one layer' },
  ),
})

const MemberInspection = Type.Object({
  memberId: Type.String({ description: 'the `participantId` of a person' }),
  kind: Type.Union([
    Type.Literal('person'),
    Type.Literal('relay'),
    Type.Literal('ingress'),
    Type.Literal('egress'),
  ]),
  name: Name,
  mode: Type.Unsafe<Mode>(Type.Enum([...modeNames])),
  joined: Type.Boolean({ description: 'false while it is admitted but has not joined' }),
  transports: Type.Array(TransportInspection),
  producers: Type.Array(ProducerInspection),
  consumers: Type.Array(ConsumerInspection),
  dataProducers: Type.Integer(),
  dataConsumers: Type.Integer(),
})

export const MeetingInspection = Type.Object({
  meetingId: Id,
  sessionId: Type.Union([Type.String(), Type.Null()], { description: 'null while nobody is inside' }),
  members: Type.Array(MemberInspection),
})
export type MeetingInspection = Static<typeof MeetingInspection>
export type MemberInspection = Static<typeof MemberInspection>

export const InspectedMeeting = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 256, description: 'The `meetingId`, not a custom id.' }),
})
