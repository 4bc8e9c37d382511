/** Shapes of sessions and their participants in REST (contract, rest-and-tokens §3.1, §3.3). */
import { Type, type Static } from 'typebox'
import { StreamKind } from '../media.ts'
import { AtMs, Instant, pageFields, RoomId, Words } from '../rest.ts'
import { nextFrom } from './quality.ts'

const OpenSpan = Type.Object({ start: Instant, end: Type.Union([Instant, Type.Null()]) })
/** `end` is null while the span has not ended. */
export type OpenSpan = Static<typeof OpenSpan>
const AnyId = Words
const LeaveReason = Type.Union([Type.String(), Type.Null()], {
  description: 'Null while the participant is inside.',
})

const SessionParticipant = Type.Object({
  participantId: Type.String(),
  name: Type.String(),
  timelog: Type.Array(OpenSpan),
})

export const SessionParticipantInFull = Type.Object({
  _id: Type.String(),
  participantId: Type.String(),
  name: Type.String(),
  timelog: Type.Array(Type.Object({ ...OpenSpan.properties, leaveReason: LeaveReason })),
  initTime: Instant,
  mode: Type.String(),
  changeModeHistory: Type.Array(
    Type.Object({ _id: Type.String(), mode: Type.String(), timelog: Type.Array(OpenSpan) }),
  ),
  events: Type.Object({
    mic: Type.Array(OpenSpan),
    webcam: Type.Array(OpenSpan),
    screenShare: Type.Array(OpenSpan),
    screenShareAudio: Type.Array(OpenSpan),
  }),
  deviceInfo: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  leaveReason: Type.Union([Type.String(), Type.Null()], {
    description: 'When the last stay ended; null while the participant is inside.',
  }),
})
export type SessionParticipantInFull = Static<typeof SessionParticipantInFull>

export const Session = Type.Object({
  id: Type.String(),
  sessionId: Type.String(),
  roomId: Type.String(),
  meetingId: Type.String(),
  customRoomId: Type.Optional(Type.String()),
  userMeetingId: Type.Optional(Type.String()),
  userId: Type.String(),
  start: Instant,
  end: Type.Union([Instant, Type.Null()]),
  status: Type.Union([Type.Literal('ongoing'), Type.Literal('ended')]),
  endReason: Type.Union([Type.String(), Type.Null()]),
  activeDuration: Type.Integer({ description: 'The number of seconds in which somebody was inside.' }),
  chatLink: Type.String({
    description: 'The kept chat as CSV; needs a token like every call.',
  }),
  participants: Type.Array(SessionParticipant),
  links: Type.Object({
    get_room: Type.String(),
    get_session: Type.String(),
    get_all_participants: Type.Optional(Type.String()),
  }),
})
export type Session = Static<typeof Session>

export const SessionWithParticipants = Type.Object({
  ...Session.properties,
  participants: Type.Array(SessionParticipantInFull),
})
export type SessionWithParticipants = Static<typeof SessionWithParticipants>

export const SessionsQuery = Type.Object({
  ...pageFields,
  roomId: Type.Optional(AnyId),
  customRoomId: Type.Optional(AnyId),
  meetingId: Type.Optional(AnyId),
  query: Type.Optional(AnyId),
  userId: Type.Optional(AnyId),
  startDate: Type.Optional(
    Type.Integer({ minimum: 0, description: 'When it began, in ms since the epoch.' }),
  ),
  endDate: Type.Optional(Type.Integer({ minimum: 0, description: 'When it began, in ms since the epoch.' })),
  status: Type.Optional(Type.Union([Type.Literal('ongoing'), Type.Literal('ended')])),
})

export const PageOnlyQuery = Type.Object(pageFields)
export const SessionParams = Type.Object({ sessionId: AnyId })
export const SessionParticipantParams = Type.Object({ sessionId: AnyId, participantId: AnyId })

export const EndSessionBody = Type.Object({
  roomId: Type.Optional(AnyId),
  customRoomId: Type.Optional(AnyId),
  meetingId: Type.Optional(AnyId),
  sessionId: Type.Optional(AnyId),
  ignoreClosed: Type.Optional(Type.Boolean()),
})
export const RemoveParticipantBody = Type.Object({
  participantId: AnyId,
  roomId: Type.Optional(AnyId),
  sessionId: Type.Optional(AnyId),
})
export const RemoveFromSessionBody = Type.Object({ participantId: AnyId })

const figure = (description: string) => Type.Union([Type.Number(), Type.Null()], { description })

/** Null if no such media flowed. */
export const StatsSample = Type.Object({
  time: Instant,
  sendAudioPacketLost: figure('packets since the sample before'),
  sendVideoPacketLost: figure('packets since the sample before'),
  recvAudioPacketLost: figure('packets since the sample before, of one stream'),
  recvVideoPacketLost: figure('packets since the sample before, of one stream'),
  averageAudioRtt: figure('ms'),
  averageVideoRtt: figure('ms'),
  averageAudioJitter: figure('ms'),
  averageVideoJitter: figure('ms'),
  averageSendAudioBitrate: figure('bits per second'),
  averageSendVideoBitrate: figure('bits per second'),
  averageRecvAudioBitrate: figure('bits per second'),
  averageRecvVideoBitrate: figure('bits per second'),
  qualityScore: Type.Object({
    audio: figure('from 1 to 4.5'),
    video: figure('from 1 to 4.5'),
  }),
})
export type StatsSample = Static<typeof StatsSample>

export const SessionStats = Type.Object({
  sessionId: Type.String(),
  meetingId: Type.String(),
  stats: Type.Array(StatsSample),
  nextFrom,
})

export type SessionStats = Static<typeof SessionStats>

export const resolutions = ['180', '360', '720', '1080', '1440', '2160'] as const
const share = Type.Number({ description: '1 for the resolution that was sent, 0 for the others' })

export const ParticipantStats = Type.Object({
  ...SessionStats.properties,
  participantId: Type.String(),
  participantName: Type.String(),
  deviceInfo: Type.Object({ deviceName: Type.String(), deviceVersion: Type.String() }),
  sdkInfo: Type.Object({ sdkName: Type.String(), sdkVersion: Type.String() }),
  resolutionUsage: Type.Array(
    Type.Object({
      time: Instant,
      180: share,
      360: share,
      720: share,
      1080: share,
      1440: share,
      2160: share,
    }),
  ),
})

export const RoomParams = Type.Object({ roomId: RoomId })

export const Live = Type.Object({
  sessionId: Type.Union([Type.String(), Type.Null()]),
  startedAt: Type.Union([AtMs, Type.Null()]),
  participants: Type.Array(
    Type.Object({
      participantId: Type.String(),
      name: Type.String(),
      joinedAt: AtMs,
      mode: Type.String(),
      streams: Type.Array(StreamKind),
      canModerate: Type.Boolean(),
      quality: Type.Union([
        Type.Object({ audio: figure('from 1 to 4.5'), video: figure('from 1 to 4.5') }),
        Type.Null(),
      ]),
    }),
  ),
  entering: Type.Array(Type.Object({ participantId: Type.String(), name: Type.String(), admittedAt: AtMs }), {
    description: 'Admitted, but not joined yet: each has a seat that the others do not see.',
  }),
  entryRequests: Type.Array(
    Type.Object({ participantId: Type.String(), name: Type.String(), askedAt: AtMs }),
  ),
})

export type Live = Static<typeof Live>
export type LiveParticipant = Live['participants'][number]

export const RespondEntryBody = Type.Object({
  participantId: AnyId,
  decision: Type.Union([Type.Literal('allowed'), Type.Literal('denied')]),
  always: Type.Optional(
    Type.Boolean({
      description: 'With `allowed`: lets this person in without asking from now on. It needs `allow_mod`.',
    }),
  ),
})

export const SwitchStreamBody = Type.Object({
  roomId: RoomId,
  participantId: AnyId,
  kind: Type.Union([Type.Literal('audio'), Type.Literal('video'), Type.Literal('share')]),
})

export const MessageBody = Type.Object({
  topic: Type.String({ minLength: 1, maxLength: 256 }),
  message: Type.String(),
  payload: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  persist: Type.Boolean({ default: false }),
  sendOnly: Type.Optional(Type.Array(AnyId, { maxItems: 1000 })),
  senderName: Type.String({ minLength: 1, maxLength: 256, default: 'server' }),
})
export const MessagesQuery = Type.Object({ ...pageFields, topic: Type.Optional(AnyId) })
export const Message = Type.Object({
  id: Type.String(),
  topic: Type.String(),
  message: Type.String(),
  payload: Type.Unknown(),
  senderId: Type.String(),
  senderName: Type.String(),
  sendOnly: Type.Array(Type.String()),
  timestamp: Instant,
})

export const ValueParams = Type.Object({ roomId: RoomId, key: AnyId })
export const ValueBody = Type.Object({ value: Type.Union([Type.String(), Type.Null()]) })
export const Value = Type.Object({ key: Type.String(), value: Type.Union([Type.String(), Type.Null()]) })

export const RemovalsQuery = Type.Object({
  sessionId: Type.Optional(AnyId),
})
export const Removals = Type.Object({
  data: Type.Array(
    Type.Object({
      participantId: Type.String(),
      name: Type.String(),
      removedAt: AtMs,
      removedBy: Type.Union([Type.String(), Type.Null()], {
        description: 'The participant who removed it, or `server`; null if that was not recorded.',
      }),
      removedByName: Type.Union([Type.String(), Type.Null()], {
        description:
          'The name of that participant, or of the operator who did it; null if an app did it, or if that was not recorded.',
      }),
      tokenShared: Type.Boolean({
        description:
          'Others had joined with the same token. It is still good, so only this participant id is kept out.',
      }),
    }),
  ),
})
export type Removals = Static<typeof Removals>
export const LetInAlways = Type.Object({
  data: Type.Array(
    Type.Object({
      participantId: Type.String(),
      name: Type.String(),
      since: AtMs,
      admittedBy: Type.Union([Type.String(), Type.Null()], {
        description: 'The moderator, or `server`; null if that was erased.',
      }),
      bound: Type.Boolean({
        description:
          'Each token that is bound to this participant id is meant; else the one with which the person asked.',
      }),
    }),
  ),
})
export type LetInAlways = Static<typeof LetInAlways>
export const LiftRemovalBody = Type.Object({ participantId: AnyId })
export const Done = Type.Object({ done: Type.Literal(true) })
