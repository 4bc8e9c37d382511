/**
 * What must survive a restart, and nothing about how. Every call is asynchronous; a call that resolved has reached the disk.
 * Instants are ms since the epoch. Implementations refuse nothing on product grounds: the rules live in `meeting/`.
 */

export interface ProjectRecord {
  projectId: string
  name: string
  createdAt: number
}

export interface ApiKeyRecord {
  apiKey: string
  projectId: string
  name: string
  /** In the clear in memory only; sealed (AES-256-GCM under the master key) at rest. */
  secret: string
  createdAt: number
  revokedAt: number | null
}

export interface AutoClose {
  type: 'session-ends' | 'session-end-and-deactivate'
  /** Minutes from session start (design, decision 11). */
  duration: number
}

/** What a caller may set at creation and gets back unchanged. */
export interface MeetingSettings {
  webhook?: { endPoint: string; events: string[] }
  autoCloseConfig?: AutoClose
  autoStartConfig?: Record<string, unknown>
  geoFence?: string
  multiComposition?: Record<string, unknown>
  allowedParticipantIds?: string[]
}

export interface MeetingRecord {
  /** 24 hex digits: the `id` of the REST API. */
  id: string
  meetingId: string
  projectId: string
  customId: string | null
  settings: MeetingSettings
  /** Deactivation is permanent. */
  disabledAt: number | null
  createdAt: number
  updatedAt: number
}

export interface Page {
  /** 1-based. */
  page: number
  perPage: number
}

export interface PageOf<T> {
  items: T[]
  total: number
}

export interface SessionRecord {
  /** 24 hex digits. */
  sessionId: string
  meetingId: string
  projectId: string
  startedAt: number
  endedAt: number | null
  endReason: string | null
}

/** One stay of a participant in a session; a rejoin is another stay. */
export interface StayRecord {
  sessionId: string
  participantId: string
  name: string
  joinedAt: number
  leftAt: number | null
  leaveReason: string | null
}

/** What was decided about somebody in one session, so that a restart does not forget it. */
export interface SessionMark {
  sessionId: string
  /** `admitted`: a guest who was let in; `removed`: somebody put out. */
  kind: 'admitted' | 'removed'
  /** `participant:<id>` or `token:<tokenId>`. */
  subject: string
  at: number
}

export interface InviteRecord {
  /** SHA-256 of the code, hex; the code itself is shown once and not kept. */
  codeHash: string
  inviteId: string
  meetingId: string
  projectId: string
  /** What the holder gets: joins directly, or asks. */
  entry: 'direct' | 'ask'
  createdAt: number
  expiresAt: number
  maxUses: number | null
  uses: number
  revokedAt: number | null
}

/** One message of a session's chat that was to be kept. */
export interface ChatRecord {
  sessionId: string
  /** Ours, unique. */
  messageId: string
  /** The sender's own; may be empty. */
  clientMessageId: string
  topic: string
  senderId: string
  senderName: string
  message: string
  /** The app's own data: JSON in UTF-8, or nothing. */
  payload: Uint8Array
  /** Participant ids; empty for everybody. */
  sendOnly: readonly string[]
  at: number
}

export interface Store {
  projects: {
    create(project: ProjectRecord): Promise<void>
    list(): Promise<ProjectRecord[]>
  }
  keys: {
    /** Replaces nothing: an existing `apiKey` is a `StoreConflict`. */
    create(key: ApiKeyRecord): Promise<void>
    list(): Promise<ApiKeyRecord[]>
    /** False when there is no such key. Revoking twice keeps the first instant. */
    revoke(apiKey: string, at: number): Promise<boolean>
    setSecret(apiKey: string, secret: string): Promise<void>
  }
  meetings: {
    /** Idempotent on (projectId, customId), also under simultaneous calls: answers the one that is there. */
    create(meeting: MeetingRecord): Promise<MeetingRecord>
    /** By meetingId, customId or id, within one project. */
    find(projectId: string, anyId: string): Promise<MeetingRecord | undefined>
    /** By canonical meetingId alone, whoever owns it. */
    get(meetingId: string): Promise<MeetingRecord | undefined>
    /** Newest first; `query` matches meetingId or customId exactly. */
    list(projectId: string, page: Page, query?: string): Promise<PageOf<MeetingRecord>>
    disable(meetingId: string, at: number): Promise<MeetingRecord | undefined>
  }
  sessions: {
    start(session: SessionRecord): Promise<void>
    end(sessionId: string, at: number, reason: string): Promise<void>
    get(sessionId: string): Promise<SessionRecord | undefined>
    /** The session without an end, if any. */
    ongoing(meetingId: string): Promise<SessionRecord | undefined>
    listOngoing(): Promise<SessionRecord[]>
    join(stay: StayRecord): Promise<void>
    /** Closes the open stay of this participant. */
    leave(sessionId: string, participantId: string, at: number, reason: string): Promise<void>
    stays(sessionId: string): Promise<StayRecord[]>
    mark(mark: SessionMark): Promise<void>
    unmark(sessionId: string, kind: SessionMark['kind'], subject: string): Promise<boolean>
    marks(sessionId: string): Promise<SessionMark[]>
  }
  invites: {
    create(invite: InviteRecord): Promise<void>
    find(codeHash: string): Promise<InviteRecord | undefined>
    list(meetingId: string): Promise<InviteRecord[]>
    /** Counts one use, if the invite is neither revoked, expired at `now` nor used up; undefined otherwise. Atomic. */
    use(codeHash: string, now: number): Promise<InviteRecord | undefined>
    revoke(inviteId: string, at: number): Promise<boolean>
  }
  chat: {
    append(message: ChatRecord): Promise<void>
    /** In the order in which they were appended. */
    list(sessionId: string): Promise<ChatRecord[]>
  }
  /** Files of a session, gone with it. */
  files: {
    put(sessionId: string, fileId: string, bytes: Uint8Array): Promise<void>
    get(sessionId: string, fileId: string): Promise<Buffer | undefined>
    totalBytes(sessionId: string): Promise<number>
    drop(sessionId: string): Promise<void>
    /** Drops the files of all other sessions. */
    keepOnly(sessionIds: ReadonlySet<string>): Promise<void>
  }
  /** Small durable values, e.g. the first-start sign-in. */
  values: {
    get(name: string): Promise<string | undefined>
    set(name: string, value: string): Promise<void>
  }
  /** Resolves when the store answers and can write. */
  check(): Promise<void>
  close(): Promise<void>
}

export { StoreConflict, StoreProblem } from './problem.ts'
export { openStore, type StoreOptions } from './open.ts'
