/** Shapes of the server's present state and of its measurements over time, for the operator. */
import { Type, type Static } from 'typebox'

/** What an operator is alerted to. */
export const alertNames = [
  'store',
  'media',
  'workers',
  'disk',
  'certificate',
  'clock',
  'overload',
  'node',
  'webhooks',
] as const

const Count = Type.Integer({ minimum: 0 })
const Instant = Type.Integer({ minimum: 0, description: 'ms since the epoch' })

export const Preparing = Type.Object(
  {
    done: Count,
    total: Type.Integer({ minimum: 0, description: '0 while the number of steps is unknown' }),
    secondsLeft: Type.Union([Count, Type.Null()]),
  },
  {
    description:
      'How far the media worker is that is fetched or built now; media switches on when it is there',
  },
)

export const CertificateStatus = Type.Object(
  {
    source: Type.Union([Type.Literal('given'), Type.Literal('self-signed'), Type.Literal('acme')], {
      description:
        '`given`: from TLS_CERT; `acme`: obtained for DOMAIN; `self-signed`: browsers do not trust it',
    }),
    expiresAt: Instant,
    problem: Type.Optional(
      Type.String({
        description: 'why none could be obtained for DOMAIN, or not be renewed, and what to do',
      }),
    ),
    retryAt: Type.Optional(Type.Integer({ minimum: 0, description: 'the next attempt; ms since the epoch' })),
  },
  { description: 'the certificate of the HTTPS listener' },
)
export type CertificateStatus = Static<typeof CertificateStatus>

/** One node, as the table that all nodes share has it. */
export const NodeStatus = Type.Object({
  nodeId: Type.String(),
  address: Type.String({ description: 'host and port at which other nodes reach it' }),
  version: Type.String(),
  state: Type.Union([Type.Literal('serving'), Type.Literal('draining'), Type.Literal('away')], {
    description:
      '`draining`: it takes no new meetings; `away`: its lease has lapsed, others take its meetings, and what follows is what it last said',
  }),
  startedAt: Instant,
  leaseAgeMs: Type.Integer({
    minimum: 0,
    description: 'time since it renewed its lease, which it does each second; beyond 4000 it is away',
  }),
  meetings: Type.Integer({ minimum: 0, description: 'meetings that go on with this node as their home' }),
  participants: Count,
  entryRequests: Count,
  processorPercent: Type.Integer({
    minimum: 0,
    description:
      'share of one core in the last ten seconds or so: the busiest of its program and its media workers',
  }),
  mediaWorkers: Type.Integer({ minimum: 0, description: 'media workers that run' }),
  isHere: Type.Boolean({ description: 'whether it is the node that answers' }),
})
export type NodeStatus = Static<typeof NodeStatus>

const AlertShape = Type.Object({
  name: Type.Unsafe<(typeof alertNames)[number]>(Type.Enum([...alertNames])),
  level: Type.Union([Type.Literal('warning'), Type.Literal('urgent')]),
  text: Type.String({ description: 'what is wrong, in one sentence' }),
  cure: Type.String({ description: 'what to do about it' }),
})

export const ServerState = Type.Union(
  [Type.Literal('serving'), Type.Literal('draining'), Type.Literal('stopping')],
  {
    description:
      '`draining`: this node takes no new meetings, and ends when the last one has ended or moved to another node',
  },
)
export type ServerState = Static<typeof ServerState>

export const ServerStatus = Type.Object({
  version: Type.String(),
  state: ServerState,
  startedAt: Instant,
  uptimeSeconds: Count,
  meetings: Count,
  participants: Count,
  entryRequests: Count,
  media: Type.Object({
    available: Type.Boolean(),
    workersWanted: Type.Integer({
      minimum: 1,
      description: 'MEDIA_WORKERS; a worker that is being replaced is not among `workers`',
    }),
    placement: Type.Union([Type.Literal('auto'), Type.Literal('spread')], {
      description:
        'MEDIA_PLACEMENT: `auto` keeps a meeting on one worker until it fills its share of it, `spread` puts each participant where the meeting has fewest',
    }),
    workers: Type.Array(
      Type.Object({
        index: Count,
        port: Type.Integer({ description: 'the port on which it receives and sends media' }),
        cpuPercent: Type.Number({ minimum: 0, description: 'share of one core' }),
        routers: Type.Integer({ minimum: 0, description: 'meetings that have media on it' }),
        members: Type.Integer({
          minimum: 0,
          description: 'participants and programs with transports on it',
        }),
        producers: Type.Integer({ minimum: 0, description: 'streams that clients send to it' }),
        consumers: Type.Integer({ minimum: 0, description: 'streams that it sends to clients' }),
        pipesIn: Type.Integer({ minimum: 0, description: 'streams that it receives from other workers' }),
        pipesOut: Type.Integer({ minimum: 0, description: 'streams that it sends to other workers' }),
      }),
    ),
    reason: Type.Optional(Type.String()),
    preparing: Type.Optional(Preparing),
  }),
  store: Type.Object({ available: Type.Boolean() }),
  certificate: CertificateStatus,
  webhooks: Type.Object({
    waiting: Count,
    parked: Count,
    oldestAt: Type.Union([Instant, Type.Null()]),
  }),
  alerts: Type.Array(AlertShape, { description: 'what needs attention, the most urgent first' }),
  nodes: Type.Optional(
    Type.Array(NodeStatus, {
      description:
        'all nodes that were there within a day, if this server is one of several; everything else is of the node that answers',
    }),
  ),
  eventLoopLagMs: Type.Number({ minimum: 0 }),
  memoryBytes: Count,
})
export type ServerStatus = Static<typeof ServerStatus>

export const HistoryQuery = Type.Object({
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
})

/** Besides `at`, each measurement by its name; absent if it was unknown at that time. */
export const History = Type.Object({
  data: Type.Array(
    Type.Unsafe<{ at: number; [figure: string]: number }>(
      Type.Object({ at: Instant }, { additionalProperties: Type.Number() }),
    ),
  ),
})
export type History = Static<typeof History>

const Part = Type.Object({
  part: Type.Union([
    Type.Literal('store'),
    Type.Literal('media'),
    Type.Literal('webhooks'),
    Type.Literal('certificate'),
    Type.Literal('server'),
  ]),
  reason: Type.String(),
  preparing: Type.Optional(Preparing),
})

export const Readiness = Type.Object({
  ready: Type.Boolean(),
  missing: Type.Array(Part, { description: 'what prevents people from joining' }),
  troubled: Type.Array(Part, { description: 'what does not work, although people can join' }),
})
export type Readiness = Static<typeof Readiness>

export const Health = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('failing')]),
  store: Type.Object({ available: Type.Boolean(), reason: Type.Optional(Type.String()) }),
  media: Type.Object({
    available: Type.Boolean(),
    workers: Type.Optional(Type.Integer({ minimum: 0, description: 'the number of running workers' })),
    tried: Type.Optional(
      Type.Boolean({
        description:
          'whether the server reached its media at every address that clients are told; false where one is not of its machine, as behind NAT',
      }),
    ),
    reason: Type.Optional(Type.String()),
    preparing: Type.Optional(Preparing),
  }),
  recordings: Type.Object(
    { available: Type.Boolean(), reason: Type.Optional(Type.String()) },
    { description: 'recordings of meetings, HLS and livestreams; their programs may be missing' },
  ),
  certificate: CertificateStatus,
})
export type Health = Static<typeof Health>
