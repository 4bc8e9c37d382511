/** What the REST API answers, as far as the dashboard shows it. Instants of the contract are ISO texts, ours are ms. */

export interface PageOf<T> {
  pageInfo: { currentPage: number; perPage: number; lastPage: number; total: number }
  data: T[]
}

export interface SignInState {
  signedIn: boolean
  passwordSet: boolean
}

export interface Webhook {
  endPoint: string
  events: string[]
}

export interface Project {
  projectId: string
  name: string
  webhook: Webhook | null
  createdAt: number
}

export interface ApiKey {
  apiKey: string
  projectId: string
  name: string
  createdAt: number
  lastUsedAt: number | null
  revokedAt: number | null
  origins: string[] | null
}

export interface Room {
  roomId: string
  customRoomId?: string
  disabled: boolean
  webhook?: Webhook
  autoCloseConfig?: { type: 'session-ends' | 'session-end-and-deactivate'; duration: number }
  geoFence?: string
  allowedParticipantIds?: string[]
  createdAt: string
}

export interface Invite {
  inviteId: string
  entry: 'direct' | 'ask'
  createdAt: number
  expiresAt: number
  maxUses: number | null
  uses: number
  revoked: boolean
}

/** From 1 (unusable) to 4.5 (as good as it gets). */
export interface Score {
  audio: number | null
  video: number | null
}

export type StreamKind = 'audio' | 'video' | 'share' | 'shareAudio'

export interface LiveParticipant {
  participantId: string
  name: string
  joinedAt: number
  mode: string
  streams: StreamKind[]
  quality: Score | null
}

export interface LiveEntryRequest {
  participantId: string
  name: string
  askedAt: number
}

/** Let in, and about to join. */
export interface LiveSeat {
  participantId: string
  name: string
  admittedAt: number
}

export interface Live {
  sessionId: string | null
  participants: LiveParticipant[]
  entering: LiveSeat[]
  entryRequests: LiveEntryRequest[]
}

export interface Removal {
  participantId: string
  name: string
  tokenShared: boolean
}

export interface Span {
  start: string
  end: string | null
}

export interface SessionParticipant {
  participantId: string
  name: string
  timelog: (Span & { leaveReason?: string | null })[]
  events?: { mic: Span[]; webcam: Span[]; screenShare: Span[]; screenShareAudio: Span[] }
  mode?: string
  deviceInfo?: {
    sdkType?: string
    sdkVersion?: string
    platform?: string
    browserUserAgent?: {
      browser?: { name?: string; version?: string }
      os?: { name?: string }
      platform?: { type?: string }
    }
  } | null
}

export interface Session {
  id: string
  roomId: string
  customRoomId?: string
  start: string
  end: string | null
  status: 'ongoing' | 'ended'
  endReason: string | null
  participants: SessionParticipant[]
  chatLink?: string | null
}

export interface SessionStats {
  stats: {
    time: string | number
    averageAudioRtt: number | null
    averageVideoRtt: number | null
    sendAudioPacketLost: number | null
    sendVideoPacketLost: number | null
    averageSendAudioBitrate: number | null
    averageSendVideoBitrate: number | null
    averageRecvAudioBitrate: number | null
    averageRecvVideoBitrate: number | null
    qualityScore: Score
  }[]
}

export type DeliveryState = 'waiting' | 'delivered' | 'parked'

export interface Delivery {
  deliveryId: string
  event: string
  roomId: string
  sessionId: string
  endPoint: string
  state: DeliveryState
  attempts: number
  occurredAt: number
  nextAt: number | null
  lastStatus: number | null
  lastError: string | null
  settledAt: number | null
}

export interface DeliveryTry {
  at: number
  tookMs: number
  status: number | null
  error: string | null
}

export interface WholeDelivery extends Delivery {
  tries: DeliveryTry[]
  body: unknown
}

export interface WorkerStatus {
  index: number
  cpuPercent: number | null
  routers: number
  members: number
  producers: number
  consumers: number
  pipesIn: number
  pipesOut: number
}

export interface ServerStatus {
  version: string
  uptimeSeconds: number
  meetings: number
  participants: number
  entryRequests: number
  media: { available: boolean; workers?: WorkerStatus[]; reason?: string }
  store: { available: boolean }
  webhooks: { waiting: number; parked: number; oldestAt: number | null }
  eventLoopLagMs: number
  memoryBytes: number
}

export interface ServerSample {
  at: number
  participants?: number | null
  meetings?: number | null
  entryRequests?: number | null
  joins?: number | null
  refusals?: number | null
  audioScore?: number | null
  videoScore?: number | null
  receiveBitrate?: number | null
  sendBitrate?: number | null
}

export interface ServerSetting {
  variable: string
  /** Null for a secret: only whether it is set is known. */
  value: unknown
  set?: boolean
  source: 'environment' | 'default'
  help: string
}

export interface Explanation {
  claims: { name: string; value?: unknown; meaning: string; problem?: string }[]
  signature: 'good' | 'bad' | 'unchecked'
  join: Verdict
  rest: Verdict
}

/** What a door would say. */
export interface Verdict {
  allowed: boolean
  /** Why not, in one sentence. */
  problem?: string
}
