/**
 * A participant without a browser, for programs that listen, speak, watch and show: `joinMeeting()` and what it gives.
 *
 * ```ts
 * const agent = await joinMeeting({ url: 'https://meet.example.org', token, meetingId, name: 'Assistant' })
 * for await (const { samples } of agent.pcm(participantId, { sampleRate: 16_000 })) recogniser.hear(samples)
 * ```
 */
export { joinMeeting, type JoinOptions } from './join.ts'
export type { Agent, AudioOptions, VideoOptions } from './agent-meeting.ts'
export type { Chat, ChatMessage, PublishOptions } from '../client/chat.ts'
export { MeetingError } from '../client/errors.ts'
export type { LeftReason, MeetingEvents, MeetingRules, MeetingState, Self } from '../client/events.ts'
export type { Preparing } from '../client/init-config.ts'
export type { EntryRequest, Lobby } from '../client/lobby.ts'
export type { Moderation } from '../client/moderation.ts'
export type { Participant } from '../client/participant.ts'
export type { StreamKind } from '../protocol/media.ts'
export type { OpusPacket, PcmFrame, PcmOptions, SampleRate } from './opus.ts'
export type { PictureCodec, PictureFrame } from './picture.ts'
export type { EndReason, Publication, PublicationEnd } from './publication.ts'
export type { Reading } from './reading.ts'
export type { PcmChunk } from './sound.ts'
export type {
  AgentStream,
  FrameOptions,
  ReadOptions,
  ReceivedCodec,
  SoundStream,
  VideoFrame,
  VideoStream,
} from './streams.ts'
