/**
 * What the server says of its own accord: fields flat beside `method` (contract, signalling §2.4 and §4.3).
 * `mediaReset` and `entryWithdrawn` are ours; published clients ignore methods they do not know.
 */
import type { StreamKind } from './media.ts'
import type { LeaveReason } from './leave-reasons.ts'
import type { Mode } from './modes.ts'

/** A participant as the others see it: in `join.peers` and, flat, in `newPeer`. */
export interface Peer {
  id: string
  displayName: string
  mode: Mode
  metaData: Record<string, unknown>
}

export type EntryDecision = 'allowed' | 'denied'

export type Notification =
  | { method: 'error'; code: number; name: string; message: string }
  | { method: 'entryRequested'; id: string; name: string }
  /** The request is no longer open: answered, withdrawn or timed out. */
  | { method: 'entryWithdrawn'; id: string }
  | {
      method: 'entryResponded'
      id: string
      decision: EntryDecision
      sessionId?: string
      /** The meeting that a `switchToMeeting` leads to. */
      switchingRoomId?: string
      canModerate?: boolean
      canAdmit?: boolean
    }
  | ({ method: 'newPeer' } & Peer)
  | { method: 'peerClosed'; peerId: string; reason: LeaveReason }
  | { method: 'participantMediaStateChanged'; peerId: string; kind: StreamKind; newState: boolean }
  | { method: 'consumerClosed'; consumerId: string }
  | { method: 'consumerPaused'; consumerId: string }
  | { method: 'consumerResumed'; consumerId: string }
  | {
      method: 'consumerLayersChanged'
      consumerId: string
      spatialLayer: number | null
      temporalLayer: number | null
    }
  | { method: 'activeSpeaker'; peerId: string | null }
  | { method: 'peerModeChanged'; peerId: string; mode: Mode }
  | { method: 'peerDisplayNameChanged'; peerId: string; displayName: string; oldDisplayName: string }
  | { method: 'dataConsumerClosed'; dataConsumerId: string }
  | { method: 'realtimeStoreValueChanged'; key: string; value: string | null; updatedBy: string }
  | { method: 'unsupportedCodecAdded'; codec: string; consumerPeerId: string }
  | {
      method: 'consumerPausedSubManager' | 'consumerResumedSubManager'
      peerId: string
      consumerId: string
      kind: StreamKind
      reason: string
    }
  | { method: 'mediaRelayRequestReceived'; peerId: string; meetingId: string; displayName: string }
  | { method: 'mediaRelayRequestResponse'; decision: string; decidedBy: string; meetingId: string }
  | { method: 'mediaRelayStarted'; meetingId: string }
  | { method: 'mediaRelayStopped'; meetingId: string; reason: string }
  /** Chat, for clients before 1.0. */
  | {
      method: 'pubsubMessage'
      id: string
      topic: string
      message: string
      payload: unknown
      senderId: string
      senderName: string
      /** ISO 8601. */
      timestamp: string
    }
  /** The media worker died and was replaced: build transports again. */
  | { method: 'mediaReset' }

/** Events with an acknowledgement that the server sends (contract, signalling §4.2). */
export interface ServerRequests {
  newConsumer: {
    peerId: string
    producerId: string
    id: string
    kind: string
    rtpParameters: unknown
    type: string
    appData: Record<string, unknown>
    producerPaused: boolean
  }
  newDataConsumer: {
    peerId: string
    dataProducerId: string
    id: string
    sctpStreamParameters: unknown
    label: string
    protocol: string
    appData: Record<string, unknown>
  }
  switchRoom: { roomId: string; token: string | null; payload: unknown; peerId: string }
  enableMic: { peerId: string }
  disableMic: { peerId: string }
  enableWebcam: { peerId: string }
  disableWebcam: { peerId: string }
  enableShare: { peerId: string }
  disableShare: { peerId: string }
  pinStateChanged: { peerId: string; state: { cam?: boolean; share?: boolean }; pinnedBy: string }
}

/** The answer to `join`. `peers` and `messages` must be there for the published client. */
export interface JoinReply {
  peers: Peer[]
  messages: unknown[]
  poll: unknown[]
  unsupportedCodecs: string[]
  /** Where chat is, with the credential for it. */
  pubSubUrl?: string
  meetingId: string
  self: {
    participantId: string
    displayName: string
    canModerate: boolean
    canAdmit: boolean
    sessionId: string
  }
}
