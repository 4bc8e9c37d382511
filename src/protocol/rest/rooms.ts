/** Shapes of meetings in the REST API, with the names of both generations (contract, rest-and-tokens §3.1, §3.2). */
import { Type, type Static } from 'typebox'
import { MAX_WORDS_LENGTH } from '../ids.ts'
import { Instant, pageOf, ParticipantId, Words } from '../rest.ts'
import { AutoStartConfig } from './auto-start.ts'

/** A new custom id must pass the strict rule of `ids.ts`; an existing one is found whatever it looks like. */
const CustomId = Type.String({
  minLength: 1,
  maxLength: MAX_WORDS_LENGTH,
  description:
    'An id of your own. Asked for again, the meeting that has it is answered. A new one has at most 128 characters, ' +
    'in Unicode normal form C, none of them a control or invisible character, and no white space at either end; ' +
    'it is not `.`, `..` or `validate`, and no other meeting’s id.',
  examples: ['team-weekly'],
})
const anything = (description: string) =>
  Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 32, description })
const Anything = anything('Kept and given back; nothing here acts on it.')

export const Webhook = Type.Object({
  endPoint: Type.String({ maxLength: 512, pattern: '^https?://', examples: ['https://app.example/hook'] }),
  events: Type.Array(Words, {
    maxItems: 64,
    description: 'Names of events, `*`, or a prefix followed by `*`.',
    examples: [['session-*']],
  }),
})
const closeTypes = [Type.Literal('session-ends'), Type.Literal('session-end-and-deactivate')] as const
const durationField = Type.Integer({
  minimum: 1,
  maximum: 525_600,
  description: 'Minutes from the start of a session.',
})

const settings = {
  webhook: Type.Optional(Webhook),
  autoStartConfig: Type.Optional(
    Type.Intersect([anything('What begins by itself with each session.'), AutoStartConfig]),
  ),
  multiComposition: Type.Optional(Anything),
  geoFence: Type.Optional(Words),
  allowedParticipantIds: Type.Optional(
    Type.Array(ParticipantId, {
      maxItems: 1000,
      description: 'Only these may join. Default: everybody with a token.',
    }),
  ),
}
const Encryption = Type.Union([Type.Literal('required'), Type.Literal('optional')])
const encryption =
  'Whether all media must be end-to-end encrypted. `required` refuses streams that are not marked encrypted, and all that ' +
  'needs the server to decode: recordings, livestreams, HLS, transcription.'
const knock = 'Whether people with the bare address of the meeting’s page may ask to join.'

export const CreateMeetingBody = Type.Object(
  {
    customRoomId: Type.Optional(CustomId),
    userMeetingId: Type.Optional(CustomId),
    ...settings,
    autoCloseConfig: Type.Optional(
      Type.Object({
        type: Type.Optional(Type.Union([...closeTypes])),
        duration: Type.Optional(durationField),
      }),
    ),
    knock: Type.Optional(Type.Boolean({ default: false, description: knock })),
    encryption: Type.Optional({ ...Encryption, default: 'optional', description: encryption }),
  },
  { examples: [{ customRoomId: 'team-weekly', autoCloseConfig: { type: 'session-ends', duration: 60 } }] },
)
export type CreateMeetingBody = Static<typeof CreateMeetingBody>

const roomFields = {
  roomId: Type.String({ examples: ['87i6-bvw8-dtn1'] }),
  meetingId: Type.String({ description: 'The same as `roomId`.', examples: ['87i6-bvw8-dtn1'] }),
  customRoomId: Type.Optional(Type.String()),
  userMeetingId: Type.Optional(Type.String({ description: 'The same as `customRoomId`.' })),
  disabled: Type.Boolean(),
  ...settings,
  autoCloseConfig: Type.Optional(Type.Object({ type: Type.Union([...closeTypes]), duration: durationField })),
  knock: Type.Boolean({ description: knock }),
  encryption: { ...Encryption, description: encryption },
  breakoutOf: Type.Optional(
    Type.Object(
      { roomId: Type.String(), sessionId: Type.String(), name: Type.String() },
      {
        description:
          'The session that it is a breakout room of, and its name there. Made by the server alone.',
      },
    ),
  ),
  createdAt: Instant,
  updatedAt: Instant,
  id: Type.String({ description: '24 hex digits.' }),
  links: Type.Object({ get_room: Type.String(), get_session: Type.String() }),
}

/** A meeting as returned by create, validate and list. */
export const Room = Type.Object(
  { ...roomFields, userId: Type.String({ description: 'The project it belongs to.' }) },
  { title: 'Room' },
)
export type Room = Static<typeof Room>

/** A meeting as returned by get: with its owner in place of the owner's id. */
export const RoomWithOwner = Type.Object(
  {
    ...roomFields,
    user: Type.Object({ id: Type.String(), name: Type.String(), email: Type.String() }),
  },
  { title: 'RoomWithOwner' },
)
export type RoomWithOwner = Static<typeof RoomWithOwner>

export const RoomPage = pageOf(Room)
export type RoomPage = Static<typeof RoomPage>
