/** Shapes of what was used over days and months. */
import { Type, type Static } from 'typebox'
import { pageFields, PageInfo } from '../rest.ts'

const Day = Type.Refine(
  Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'In UTC.', examples: ['2026-01-31'] }),
  (value: string) => !Number.isNaN(Date.parse(value)),
  () => 'must be a day, such as 2026-01-31',
)

const filterFields = {
  by: Type.Union([Type.Literal('day'), Type.Literal('month')], { default: 'day' }),
  from: Type.Optional(Day),
  to: Type.Optional(Day),
  per: Type.Union([Type.Literal('server'), Type.Literal('project'), Type.Literal('key')], {
    default: 'server',
    description: 'What a row is about: the whole server, each project, or each API key.',
  }),
  projectId: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  apiKey: Type.Optional(
    Type.String({ maxLength: 100, description: 'The empty text: what no key is known of.' }),
  ),
}
export const UsageFilter = Type.Object(filterFields)
export type UsageFilter = Static<typeof UsageFilter>
export const UsageQuery = Type.Object({ ...filterFields, ...pageFields })

const Amount = Type.Number({ minimum: 0 })

export const UsageRow = Type.Object({
  period: Type.String({ description: 'A day in UTC, or a month.', examples: ['2026-01-31', '2026-01'] }),
  projectId: Type.Union([Type.String(), Type.Null()], { description: 'Null: all projects.' }),
  apiKey: Type.Union([Type.String(), Type.Null()], {
    description: 'Null: all keys. The empty text: what no key is known of.',
  }),
  participants: Type.Integer({
    minimum: 0,
    description: 'People who joined a session; one who comes back to it counts once.',
  }),
  participantMinutes: Amount,
  peakParticipants: Type.Integer({ minimum: 0, description: 'The most who were inside at once.' }),
  receivedBytes: Type.Integer({
    minimum: 0,
    description: 'Media from participants, as measured every STATS_INTERVAL_SECONDS.',
  }),
  sentBytes: Type.Integer({ minimum: 0, description: 'Media to participants.' }),
  recordingMinutes: Amount,
  broadcastMinutes: Type.Number({ minimum: 0, description: 'HLS and livestreams.' }),
  transcriptionMinutes: Amount,
  storedBytes: Type.Integer({
    minimum: 0,
    description: 'Files of outputs and jobs at the end of the period.',
  }),
})
export type UsageRow = Static<typeof UsageRow>

export const UsagePage = Type.Object({ pageInfo: PageInfo, data: Type.Array(UsageRow) })
