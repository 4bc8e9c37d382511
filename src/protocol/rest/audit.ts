/** Shapes of the audit log in REST; not in the contract. */
import { Type, type Static } from 'typebox'
import { AtMs, pageFields, pageOf } from '../rest.ts'

const MaybeText = Type.Union([Type.String(), Type.Null()])

const Actor = Type.Union(
  [
    Type.Literal('operator'),
    Type.Literal('admin-key'),
    Type.Literal('token'),
    Type.Literal('command'),
    Type.Literal('server'),
    Type.Literal('nobody'),
  ],
  {
    description:
      'An operator who was signed in, the admin key, an app by a token, a command at the server’s machine, the server by itself, or somebody who was not let in.',
  },
)
const Outcome = Type.Union([Type.Literal('done'), Type.Literal('refused')])

const filters = {
  actor: Type.Optional(Actor),
  actorId: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'An `operatorId`, an API key, or a user of the machine.',
    }),
  ),
  action: Type.Optional(
    Type.String({
      pattern: '^[a-z-]+(\\.[a-z-]+)?$',
      maxLength: 64,
      description: 'An action such as `recording.delete`, or a kind such as `recording`.',
    }),
  ),
  subject: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'The id of what was acted on, or of its meeting.',
    }),
  ),
  outcome: Type.Optional(Outcome),
  from: Type.Optional(AtMs),
  to: Type.Optional(AtMs),
}

export const AuditQuery = Type.Object({ ...pageFields, ...filters })
export const AuditExportQuery = Type.Object({
  ...filters,
  format: Type.Union([Type.Literal('csv'), Type.Literal('jsonl')], { default: 'csv' }),
})

export const AuditEntryAnswer = Type.Object({
  number: Type.Integer({ description: 'Grows with each entry.' }),
  at: AtMs,
  actor: Actor,
  actorId: MaybeText,
  actorName: MaybeText,
  role: MaybeText,
  action: Type.String(),
  outcome: Outcome,
  code: MaybeText,
  projectId: MaybeText,
  meetingId: MaybeText,
  subject: MaybeText,
  facts: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])),
  address: MaybeText,
  requestId: MaybeText,
})
export type AuditEntryAnswer = Static<typeof AuditEntryAnswer>

export const AuditPage = pageOf(AuditEntryAnswer)
