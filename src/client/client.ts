/**
 * The browser SDK: `connect()` and what it gives.
 *
 * ```ts
 * const meeting = await connect({ url: 'https://meet.example.org', token, meetingId, name: 'Ann' })
 * meeting.on('streamAdded', (stream) => (video.srcObject = new MediaStream([stream.track])))
 * ```
 */
export { canEncrypt, type Encryption } from './encryption/encryption.ts'
export type { SharedKey } from './encryption/keys.ts'
export { connect, type ConnectOptions } from './connect.ts'
export type { BreakoutPass, BreakoutRooms, Breakouts, BreakoutSwitch, NewBreakouts } from './breakouts.ts'
export type { Preparing } from './init-config.ts'
export type { Chat, ChatMessage, PublishOptions } from './chat.ts'
export { Devices, openDevice, type DevicesOptions, type DeviceStatus, type OwnKind } from './devices.ts'
export { DeviceError, MeetingError, type DeviceProblem } from './errors.ts'
export type { Files, SharedFile } from './files.ts'
export type { EntryRequest, Lobby } from './lobby.ts'
export type {
  DeviceRequest,
  LeftReason,
  MeetingEvents,
  MeetingRules,
  MeetingState,
  Self,
  SwitchRequest,
  Timer,
  Timings,
} from './events.ts'
export type { Meeting } from './meeting.ts'
export type { MeetingCore } from './meeting-core.ts'
export type { Moderation } from './moderation.ts'
export type { Caption, OutputName, OutputState } from './output-state.ts'
export type { Outputs } from './outputs.ts'
export type { NewPoll, Poll, Polls, Vote } from './polls.ts'
export type { Participant, Quality, Stream } from './participant.ts'
export { CheckSocket } from './check-socket.ts'
export { checkLine, type LineResult } from './line-check.ts'
export { reachTurn, type TurnReach } from './turn-reach.ts'
