/** Shapes of the media quality of sessions in REST. */
import { Type, type Static } from 'typebox'
import { AtMs, Instant } from '../rest.ts'

export const StatsPageQuery = Type.Object({
  from: Type.Optional(AtMs),
  to: Type.Optional(AtMs),
})

/** The end of a page by time. */
export const nextFrom = Type.Union([Instant, Type.Null()], {
  description: 'The `from` of the next page; null if this is the last one.',
})

const figure = (description: string) => Type.Optional(Type.Number({ description }))

const Evidence = Type.Object(
  {
    workerLosses: figure('how often the media worker died'),
    workerAnswerMs: figure('how long the media worker took to answer'),
    eventLoopLagMs: figure('how late the event loop of the server was'),
    participantsHit: figure('participants on one media worker who lost packets at once'),
    participantsMeasured: figure('of so many'),
    sendPercentLost: figure('packets lost on the way to the server, in percent'),
    cameraScore: figure('0: the camera was on, and nothing of it arrived'),
    receivePercentLost: figure('packets lost on the way from the server, in percent'),
    videosHeld: figure('pictures that the server held back for want of bandwidth'),
    videosMissing: figure('pictures that did not arrive at the server'),
    videosWanted: figure('pictures that the client wanted'),
    receiveAvailableBitrate: figure('the least estimate of what the line takes, in bits per second'),
    receiveReportBitrate: figure('0: the client sent no reports about what it received'),
    ice: figure('3: the connection was interrupted'),
    keyFramesAsked: figure('how often the client asked for a new picture in one measurement'),
    framesPercentDropped: figure('frames of a picture that arrived and were not shown, in percent'),
    encodesTooSlowly: figure('1: the processor of the device was too busy to send a larger picture'),
  },
  { description: 'The worst figures of the stretch from which the cause follows.' },
)

export const Stretch = Type.Object({
  from: Instant,
  to: Instant,
  cause: Type.Union([
    Type.Literal('server'),
    Type.Literal('sender-line'),
    Type.Literal('receiver-line'),
    Type.Literal('device'),
  ]),
  participantId: Type.Union([Type.String(), Type.Null()], {
    description: 'Whose line or device it was; null if it was the server.',
  }),
  name: Type.Union([Type.String(), Type.Null()]),
  figures: Evidence,
  sentence: Type.String({ description: 'Who and what was the cause, in English.' }),
})
export type Stretch = Static<typeof Stretch>

export const Diagnosis = Type.Object({
  sessionId: Type.String(),
  meetingId: Type.String(),
  participantId: Type.String(),
  participantName: Type.String(),
  measurements: Type.Integer({ minimum: 0, description: 'How many it looked at; 0 if none are kept.' }),
  stretches: Type.Array(Stretch, { description: 'Oldest first; empty if nothing was bad.' }),
  nextFrom,
})
export type Diagnosis = Static<typeof Diagnosis>

const known = (description: string) => Type.Union([Type.Number(), Type.Null()], { description })
const Protocol = Type.Union([Type.Literal('udp'), Type.Literal('tcp'), Type.Null()])
const Ice = Type.Union([
  Type.Literal('new'),
  Type.Literal('connected'),
  Type.Literal('completed'),
  Type.Literal('disconnected'),
  Type.Literal('closed'),
  Type.Null(),
])
const stream = {
  bitrate: known('bits per second'),
  packets: known('since the sample before'),
  lost: known('packets since the sample before'),
  roundTripMs: known('to the client and back'),
  score: known('from 1 to 4.5, the worse direction'),
}
const line = {
  percentLost: known('of all packets on this connection'),
  protocol: Protocol,
  ice: Ice,
}

/** Null if no such media flowed, or nothing is known. */
export const MediaSample = Type.Object({
  time: Instant,
  send: Type.Object({
    ...line,
    audio: Type.Object({ ...stream, jitterMs: known('ms') }),
    video: Type.Object({
      ...stream,
      jitterMs: known('ms'),
      height: known('lines of the largest picture sent'),
      cameraScore: known('from 0 (nothing arrives) to 10; null while the camera is off'),
    }),
  }),
  receive: Type.Object(
    {
      ...line,
      availableBitrate: known('what the line takes by estimate, in bits per second'),
      audio: Type.Object(stream),
      video: Type.Object({
        ...stream,
        wanted: known('pictures that the client wants'),
        held: known('of them, held back for want of bandwidth'),
        missing: known('of them, not arriving at the server'),
        layer: known('mean spatial layer of those that are sent, from 0'),
        keyFramesAsked: known('how often the client asked for a new picture, of one stream'),
      }),
    },
    { description: 'Packets and losses of sound and of pictures are those of one stream each.' },
  ),
  device: Type.Object(
    {
      framesPercentDropped: known('frames of a picture that arrived and were not shown'),
      encodesTooSlowly: Type.Union([Type.Boolean(), Type.Null()], {
        description: 'whether its processor was too busy to send a larger picture',
      }),
    },
    {
      description:
        'What the client told of its device; null while it keeps up, and for clients that tell nothing.',
    },
  ),
  pathChanges: known('how many connections came from another address than before'),
  worker: Type.Object({
    index: known('the media worker'),
    losses: known('how often it died'),
    answerMs: known('how long it took to answer'),
  }),
  eventLoopLagMs: known('how late the event loop of the server was'),
})
export type MediaSample = Static<typeof MediaSample>

export const ParticipantMedia = Type.Object({
  sessionId: Type.String(),
  meetingId: Type.String(),
  participantId: Type.String(),
  participantName: Type.String(),
  samples: Type.Array(MediaSample),
  nextFrom,
})
export type ParticipantMedia = Static<typeof ParticipantMedia>
