/** Handles every notification and request of the server. */
import type { Notification } from '../protocol/notifications.ts'
import type { StreamKind } from '../protocol/media.ts'
import type { MeetingMedia, OwnStreams } from './carrier.ts'
import type { OwnKind } from './devices.ts'
import type { MeetingRules, Self, Tell } from './events.ts'
import { MeetingError } from './errors.ts'
import type { Lobby } from './lobby.ts'
import { type AnyStream, setState } from './participant.ts'
import type { Outputs } from './outputs.ts'
import type { Breakouts } from './breakouts.ts'
import type { Polls } from './polls.ts'
import type { Roster } from './roster.ts'
import type { ServerRequestHandlers } from './signalling.ts'

/** What the handlers need of the meeting. */
export interface Listener<S extends AnyStream> {
  readonly self: Self
  readonly lobby: Lobby
  readonly roster: Roster<S>
  readonly outputs: Outputs
  readonly polls: Polls
  readonly breakouts: Breakouts
  readonly own: Pick<
    OwnStreams<never>,
    'disableMic' | 'disableCamera' | 'stopShare' | 'enableMic' | 'enableCamera' | 'startShare'
  >
  /** The current media; it may be replaced at any time. */
  readonly media: () => MeetingMedia
  readonly tell: Tell<S>
  /** We are admitted to this session. */
  admitted: (sessionId: string) => void
  /** This many people wait before us. */
  queued: (before: number) => void
  /** The connection is about to end for good, for this reason. */
  refused: (error: MeetingError) => void
  /** The server is about to restart. */
  restarting: () => void
  /** The server prepares its media; the message tells the progress. */
  preparing: (message: string) => void
  /** The server told the others that one of our streams is on or off. */
  toldOfUs: (kind: StreamKind, on: boolean) => void
  /** A moderator changed the rules of the session. */
  ruled: (rules: MeetingRules) => void
  /** The timer of the session, and what is left of it now. */
  timed: (timer: { totalMs: number; leftMs: number; paused: boolean } | null) => void
  /** The media worker was replaced. */
  mediaReset: () => void
}

type Fields<M, N = Notification> = N extends { method: infer K } ? (M extends K ? N : never) : never
/** A notification without a row does not compile. */
export type NotificationHandlers = { [M in Notification['method']]: (notification: Fields<M>) => void }

/** Calls the handler of a notification; a newer server may send some that are not known here. */
export function hear(handlers: NotificationHandlers, notification: Notification): void {
  if (!Object.hasOwn(handlers, notification.method)) return
  const handle = handlers[notification.method] as (notification: Notification) => void
  handle(notification)
}

export function notificationHandlers<S extends AnyStream>(listener: Listener<S>): NotificationHandlers {
  const { self, lobby, roster, media, outputs, polls, tell } = listener
  const ignored = (): void => undefined
  const settled = ({ id }: { id: string }): void => lobby.settle(id)
  return {
    error: ({ code, name, message }) => {
      // These three are not refusals: the connection is about to be cut, and reconnects by itself.
      if (name === 'SERVER_STOPPING') listener.restarting()
      else if (name === 'MEDIA_PREPARING') listener.preparing(message)
      else if (isOfOutput(code)) tell('outputFailed', new MeetingError(code, name, message))
      else if (name !== 'TOO_SLOW') listener.refused(new MeetingError(code, name, message))
    },
    entryResponded: ({ id, sessionId }) => {
      if (id === self.id && sessionId !== undefined) listener.admitted(sessionId)
      else settled({ id })
    },
    entryRequested: ({ id, name, message }) => {
      const request = { id, name, ...(message !== undefined && { message }) }
      lobby.requests.set(id, request)
      tell('entryRequested', request)
    },
    entryWithdrawn: settled,
    entryQueued: ({ before }) => listener.queued(before),
    newPeer: (peer) => {
      if (peer.id !== self.id) roster.meet(peer)
    },
    peerClosed: ({ peerId, reason }) => roster.leave(peerId, reason),
    rulesChanged: ({ method: _, ...rules }) => listener.ruled(rules),
    timerChanged: ({ timer }) => listener.timed(timer),
    breakoutsChanged: ({ breakouts }) => listener.breakouts.heard(breakouts),
    breakoutAnnounced: ({ name, message }) => tell('breakoutAnnounced', { name, text: message }),
    pollChanged: ({ poll }) => polls.heard(poll),
    pollVoted: (voted) => polls.heardVote(voted),
    authorityChanged: ({ canAdmit, canModerate }) => {
      Object.assign(self, { canAdmit, canModerate })
      if (!canAdmit) for (const id of [...lobby.requests.keys()]) lobby.settle(id)
      tell('selfChanged', self)
    },
    peerModeChanged: ({ peerId, mode }) => roster.change(peerId, (participant) => (participant.mode = mode)),
    peerDisplayNameChanged: ({ peerId, displayName }) => {
      if (peerId !== self.id) return roster.change(peerId, (participant) => (participant.name = displayName))
      self.name = displayName
      tell('selfChanged', self)
    },
    participantMediaStateChanged: ({ peerId, kind, newState }) => {
      if (peerId === self.id) listener.toldOfUs(kind, newState)
      else roster.change(peerId, (participant) => setState(participant, kind, newState))
    },
    activeSpeaker: ({ peerId }) => roster.speak(peerId),
    consumerClosed: ({ consumerId }) => media().drop(consumerId),
    consumerPaused: ({ consumerId }) => media().setPaused(consumerId, true),
    consumerResumed: ({ consumerId }) => media().setPaused(consumerId, false),
    mediaReset: () => listener.mediaReset(),
    // The size of the video itself shows which layer arrives.
    consumerLayersChanged: ignored,
    // We send VP8, which every server offers first, so there is no other codec to change to.
    unsupportedCodecAdded: ignored,
    consumerPausedSubManager: ({ consumerId }) => media().setHeld(consumerId, true),
    consumerResumedSubManager: ({ consumerId }) => media().setHeld(consumerId, false),
    // Sent only to clients that use data channels, the realtime store or relays. We do not.
    dataConsumerClosed: ignored,
    realtimeStoreValueChanged: ignored,
    mediaRelayRequestReceived: ignored,
    mediaRelayRequestResponse: ignored,
    mediaRelayStarted: ignored,
    mediaRelayStopped: ignored,
    recordingStateChanged: ({ status }) => outputs.heard('recording', status),
    recordingStarted: ignored,
    recordingStopped: ignored,
    livestreamStateChanged: ({ status }) => outputs.heard('livestream', status),
    livestreamStarted: ignored,
    livestreamStopped: ignored,
    hlsStateChanged: ({ status }) => outputs.heard('hls', status),
    hlsPlayableStateChanged: ({ playbackHlsUrl }) => outputs.playable(playbackHlsUrl),
    hlsStarted: ignored,
    hlsStopped: ignored,
    transcriptionStateChanged: ({ status }) => outputs.heard('transcription', status),
    transcriptionText: ({ method: _, ...caption }) => tell('captionHeard', caption),
    // The page does not show a whiteboard yet.
    whiteboardStarted: ignored,
    whiteboardStopped: ignored,
    // Chat has a socket of its own.
    pubsubMessage: ignored,
  }
}

export function requestHandlers<S extends AnyStream>({
  own,
  roster,
  media,
  tell,
}: Listener<S>): ServerRequestHandlers {
  const ask =
    (device: OwnKind, accept: () => Promise<void>) =>
    ({ peerId }: { peerId: string }): void =>
      tell('deviceRequested', { device, from: peerId, accept, reject: () => undefined })
  return {
    newConsumer: (payload) => media().consume(payload),
    disableMic: () => own.disableMic(),
    disableWebcam: () => own.disableCamera(),
    disableShare: () => own.stopShare(),
    enableMic: ask('mic', () => own.enableMic()),
    enableWebcam: ask('camera', () => own.enableCamera()),
    enableShare: ask('share', () => own.startShare()),
    pinStateChanged: (pinned) => roster.pin(pinned),
    switchRoom: ({ roomId, token, payload, peerId }) =>
      tell('switchRequested', { meetingId: roomId, token: token ?? undefined, payload, from: peerId }),
    // Our transports carry no data, so the server offers none.
    newDataConsumer: () => undefined,
  }
}

/** Whether the error is about an output; such an error does not end the connection. */
function isOfOutput(code: number): boolean {
  return code > 5000 && code < 5100
}
