/**
 * What must survive a restart, and nothing about how. Every call is asynchronous; a call that resolved has reached the disk.
 * Instants are ms since the epoch. Implementations refuse nothing on product grounds: the rules live in `meeting/`.
 */

import type { StreamKind } from '../protocol/media.ts'

export interface ProjectRecord {
  projectId: string
  name: string
  /** For the meetings that name none of their own. */
  webhook: WebhookSettings | null
  createdAt: number
}

/** Where events are told, and which: exact names, `*`, or a prefix before `*` (contract, rest-and-tokens §3.2). */
export interface WebhookSettings {
  endPoint: string
  events: string[]
}

export interface ApiKeyRecord {
  apiKey: string
  projectId: string
  name: string
  /** In the clear in memory only; sealed (AES-256-GCM under the master key) at rest. */
  secret: string
  createdAt: number
  /** From when on it is out of force; ahead of now while a rotated key still overlaps its successor. */
  revokedAt: number | null
  /** To the minute. */
  lastUsedAt: number | null
  /** Web origins whose pages may use it, e.g. `https://app.example.org`; null for any. */
  origins: string[] | null
}

export interface AutoClose {
  type: 'session-ends' | 'session-end-and-deactivate'
  /** Minutes from session start (docs/decisions/0011). */
  duration: number
}

/** What a caller may set at creation and gets back unchanged. */
export interface MeetingSettings {
  webhook?: WebhookSettings
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
  /** What the client said of its device and SDK, as it said it; null when it said nothing. */
  device: Record<string, unknown> | null
  /** Of the token that it came with, as a grant names it; null in records of older versions. */
  tokenId: string | null
}

/** A stretch of time of one participant in a session: a stream that was on, a mode that was in force. */
export interface IntervalRecord {
  sessionId: string
  participantId: string
  kind: StreamKind | 'mode'
  /** The mode; empty for a stream. */
  value: string
  startedAt: number
  endedAt: number | null
}

/** An event on its way to a webhook, written with the fact that it tells. */
export interface NewDelivery {
  /** Ours, unique; receivers drop doubles by it. */
  deliveryId: string
  projectId: string
  meetingId: string
  sessionId: string
  event: string
  endPoint: string
  /** The exact bytes to send, as text in UTF-8. */
  body: string
  occurredAt: number
}

/** `waiting`: to be tried at `nextAt`, or after the one before it; `parked`: given up until somebody replays it. */
export type DeliveryState = 'waiting' | 'delivered' | 'parked'

export interface DeliveryRecord extends NewDelivery {
  state: DeliveryState
  attempts: number
  /** Null while it stands in line behind another of the same meeting and receiver. */
  nextAt: number | null
  lastStatus: number | null
  lastError: string | null
  settledAt: number | null
}

/** One attempt to deliver, when its answer or failure was known. */
export interface DeliveryTry {
  at: number
  tookMs: number
  /** Of the answer; null when none came. */
  status: number | null
  /** One plain sentence; null when it was taken. */
  error: string | null
}

export interface DeliveryOutcome extends DeliveryTry {
  state: DeliveryState
  /** With `waiting`: when it is tried again. */
  nextAt?: number
}

export interface DeliveryFilter {
  state?: DeliveryState
  meetingId?: string
  event?: string
}

export interface SessionFilter {
  meetingId?: string
  ongoing?: boolean
  /** Of `startedAt`, both inclusive. */
  startedFrom?: number
  startedTo?: number
}

/** What was measured of one participant at an instant; the order of the figures is `meeting/media/quality.ts`'s. */
export interface StatsRecord {
  sessionId: string
  participantId: string
  at: number
  figures: readonly (number | null)[]
}

/** What was measured of the whole server at an instant, by name. */
export interface ServerSample {
  at: number
  figures: Readonly<Record<string, number>>
}

export interface RevokedToken {
  projectId: string
  /** `jti:<id>` or `sha256:<digest>`, as a grant names its token. */
  tokenId: string
  revokedAt: number
}

export interface SignInRecord {
  /** SHA-256 of the cookie, hex. */
  tokenHash: string
  createdAt: number
  expiresAt: number
}

/** A guest who was let in and may come back to the session without asking again. */
export interface AdmissionRecord {
  sessionId: string
  participantId: string
  /** Of the token that it asked with, as a grant names it. */
  tokenId: string
  at: number
}

/** A participant who was removed and may not come back to the session; one for each token that held the seat. */
export interface RemovalRecord {
  sessionId: string
  participantId: string
  /** Of the token that it came with. */
  tokenId: string
  /** As it was called; null in records of older versions. */
  name: string | null
  at: number
  /** The id of the participant who removed it, or `server`; null in records of older versions. */
  by: string | null
  /** Whether a moderator removed it. */
  byModerator: boolean
  /** Others were inside with the same token, so the participant id alone is kept out. */
  tokenShared: boolean
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
  /** The key and the token that made it; null for an invite that is older than the record of them. */
  apiKey: string | null
  tokenId: string | null
  /** The invite by which its maker came in, if by any. */
  parentId: string | null
  /** The participant that the maker's token is bound to, if to any. */
  participantId: string | null
}

/** How many invites there are of one meeting, and how many of those one token or one participant made. */
export interface InviteCounts {
  meeting: number
  token: number
  participant: number
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
  /** Of the token that it was said with; null in records of older versions. */
  tokenId: string | null
  /** The participant on whose account it is kept; null where it was said over REST by a token bound to nobody. */
  accountId: string | null
  /** What it takes of the room that a session has. */
  bytes: number
}

/** A message as it was kept; numbers rise within a session. */
export interface KeptMessage extends ChatRecord {
  number: number
}

/** Which messages of a session: of one topic, if it is named, and those that somebody may hear. */
export interface ChatFilter {
  topic?: string
  /** Absent: all. Null: what everybody hears. A participant: also what is private and to or from that one. */
  hearer?: string | null
}

/** So many messages at most, and so many bytes with the message that goes beyond. */
export interface Newest {
  messages: number
  bytes?: number | undefined
}

/** Messages by their numbers, both included; none where `from` is above `to`. */
export interface Stretch {
  from: number
  to: number
}

/** What of a session's chat was said with one token on one participant's account. */
export interface ChatShare {
  tokenId: string | null
  accountId: string | null
  bytes: number
}

export interface Store {
  projects: {
    create(project: ProjectRecord): Promise<void>
    list(): Promise<ProjectRecord[]>
    /** Undefined when there is no such project. */
    change(
      projectId: string,
      changes: Partial<Pick<ProjectRecord, 'name' | 'webhook'>>,
    ): Promise<ProjectRecord | undefined>
  }
  keys: {
    /** Replaces nothing: an existing `apiKey` is a `StoreConflict`. */
    create(key: ApiKeyRecord): Promise<void>
    list(): Promise<ApiKeyRecord[]>
    /** False when there is no such key. Revoking twice keeps the earlier instant. */
    revoke(apiKey: string, at: number): Promise<boolean>
    setSecret(apiKey: string, secret: string): Promise<void>
    change(apiKey: string, changes: Partial<Pick<ApiKeyRecord, 'name' | 'origins'>>): Promise<boolean>
    /** apiKey → instant; never back in time. */
    used(uses: ReadonlyMap<string, number>): Promise<void>
  }
  meetings: {
    /**
     * Idempotent on (projectId, customId), also under simultaneous calls: answers the one that is there. An id names one
     * meeting of a project: a new custom id that is the id of another is `IdTaken`, and the other way round a `StoreConflict`.
     */
    create(meeting: MeetingRecord): Promise<MeetingRecord>
    withCustomId(projectId: string, customId: string): Promise<MeetingRecord | undefined>
    /** By meetingId, customId or id, within one project. */
    find(projectId: string, anyId: string): Promise<MeetingRecord | undefined>
    /** By canonical meetingId alone, whoever owns it. */
    get(meetingId: string): Promise<MeetingRecord | undefined>
    /** Newest first; `query` matches meetingId or customId exactly. */
    list(projectId: string, page: Page, query?: string): Promise<PageOf<MeetingRecord>>
    disable(meetingId: string, at: number): Promise<MeetingRecord | undefined>
  }
  sessions: {
    start(session: SessionRecord, tell?: readonly NewDelivery[]): Promise<void>
    /** Closes what is still open in it. */
    end(sessionId: string, at: number, reason: string, tell?: readonly NewDelivery[]): Promise<void>
    get(sessionId: string): Promise<SessionRecord | undefined>
    /** The session without an end, if any. */
    ongoing(meetingId: string): Promise<SessionRecord | undefined>
    listOngoing(): Promise<SessionRecord[]>
    /** Newest first. */
    list(projectId: string, page: Page, filter?: SessionFilter): Promise<PageOf<SessionRecord>>
    /** Opens the interval of the mode it joins in, too. */
    join(stay: StayRecord, mode: string, tell?: readonly NewDelivery[]): Promise<void>
    /** Closes the open stay of this participant, with its intervals. */
    leave(
      sessionId: string,
      participantId: string,
      at: number,
      reason: string,
      tell?: readonly NewDelivery[],
    ): Promise<void>
    /** In the order of joining; of one participant, if named. */
    stays(sessionId: string, participantId?: string): Promise<StayRecord[]>
    /** The stays of several sessions at once, for a page of them. */
    staysOf(sessionIds: readonly string[]): Promise<StayRecord[]>
    openInterval(interval: IntervalRecord): Promise<void>
    /** Closes the open interval of this kind, if there is one. */
    closeInterval(
      sessionId: string,
      participantId: string,
      kind: IntervalRecord['kind'],
      at: number,
    ): Promise<void>
    /** Of the participants named, in the order of beginning. */
    intervals(sessionId: string, participantIds: readonly string[]): Promise<IntervalRecord[]>
    /**
     * Deletes sessions that ended before, and first what was recorded in them, at most `limit` rows of either. Answers how many
     * rows went; 0 when nothing is left to delete.
     */
    dropEndedBefore(at: number, limit: number): Promise<number>
    /** Idempotent. */
    admit(admission: AdmissionRecord): Promise<void>
    takeBackAdmission(sessionId: string, participantId: string, tokenId: string): Promise<void>
    admissions(sessionId: string): Promise<AdmissionRecord[]>
    /** Replaces the removal of the same participant id and token, and takes back the admissions of that id. */
    remove(removal: RemovalRecord): Promise<void>
    /** With all its tokens. False when nobody of this id was removed. */
    liftRemoval(sessionId: string, participantId: string): Promise<boolean>
    /** In the order in which they were made. */
    removals(sessionId: string): Promise<RemovalRecord[]>
  }
  invites: {
    /**
     * `isFull` judges how many there are already. Where it says yes, those that are out of force at `createdAt` make room, with
     * all that came of them; where it still says so, nothing is written, and these counts are the answer. Atomic.
     */
    create(
      invite: InviteRecord,
      isFull?: (counts: InviteCounts) => boolean,
    ): Promise<InviteCounts | undefined>
    /**
     * The invite, then the one by which its maker came in, and so on. Empty where one of them is gone, or where there are more
     * than anybody may make.
     */
    line(inviteId: string): Promise<InviteRecord[]>
    /** The same, of the invite that has this code. */
    lineOfCode(codeHash: string): Promise<InviteRecord[]>
    get(inviteId: string): Promise<InviteRecord | undefined>
    /** Newest first. */
    list(meetingId: string, page: Page): Promise<PageOf<InviteRecord>>
    /**
     * Counts one use of the invite and of all those of its line, if none is revoked, expired at `now` or used up; undefined
     * otherwise. Atomic. Answers the line as it is afterwards.
     */
    use(codeHash: string, now: number): Promise<InviteRecord[] | undefined>
    revoke(inviteId: string, at: number): Promise<boolean>
    /** At most `limit` of those that expired before. Answers how many rows went. */
    dropExpiredBefore(at: number, limit: number): Promise<number>
  }
  /** No call reads more than a part, however much was said. */
  chat: {
    /** Answers its number. */
    append(message: ChatRecord): Promise<number>
    /** The stretch that holds a page, oldest first, and how many there are on all pages. */
    page(sessionId: string, page: Page, filter?: ChatFilter): Promise<{ total: number; stretch: Stretch }>
    /** The stretch of the last, none of them after `to`. */
    newest(sessionId: string, most: Newest, to: number, filter?: ChatFilter): Promise<Stretch>
    /** The first messages of a stretch, as many as are read at once, and the rest of it if there is one. */
    read(
      sessionId: string,
      stretch: Stretch,
      filter?: ChatFilter,
    ): Promise<{ messages: KeptMessage[]; rest: Stretch | undefined }>
    /** The number of the last message, 0 where there is none, and who said how much. */
    held(sessionId: string): Promise<{ last: number; shares: ChatShare[] }>
  }
  /** Files of a session, gone with it. */
  files: {
    put(sessionId: string, fileId: string, bytes: Uint8Array): Promise<void>
    get(sessionId: string, fileId: string): Promise<Buffer | undefined>
    list(sessionId: string): Promise<{ fileId: string; bytes: number }[]>
    drop(sessionId: string): Promise<void>
    /** Drops the files of all other sessions. */
    keepOnly(sessionIds: ReadonlySet<string>): Promise<void>
  }
  /** Events on their way to webhooks: in order for each meeting and receiver, leased so that several processes may work on it. */
  outbox: {
    /** The first of each line that is due and not leased; leased until then by this call. */
    lease(now: number, leasedUntil: number, limit: number): Promise<DeliveryRecord[]>
    /** What came of a leased one. Delivered or parked, the next of its line is due at once. */
    settle(deliveryId: string, outcome: DeliveryOutcome): Promise<void>
    get(projectId: string, deliveryId: string): Promise<DeliveryRecord | undefined>
    /** The latest ones, in the order in which they were made, those before a replay included. */
    tries(deliveryId: string): Promise<DeliveryTry[]>
    /** Newest first. */
    list(projectId: string, page: Page, filter?: DeliveryFilter): Promise<PageOf<DeliveryRecord>>
    /** Lets leased ones go untried, to be leased again from then on. */
    postpone(deliveries: readonly { deliveryId: string; until: number }[]): Promise<void>
    /**
     * Makes due at `now` what is due only after `dueBy`, and takes back leases beyond `leasedBy`: both were written by a
     * clock that was ahead.
     */
    hasten(now: number, dueBy: number, leasedBy: number): Promise<void>
    /** Told when this process wrote what is to be delivered; what others wrote is found by `lease`. */
    onWritten(listener: () => void): void
    /** Tries a parked or delivered one again, with its id and at the end of its line. False when there is none such. */
    replay(projectId: string, deliveryId: string, at: number): Promise<boolean>
    /** Replays what was parked until `at`, oldest first, at most `limit`. Answers how many. */
    replayParked(projectId: string, at: number, limit: number): Promise<number>
    backlog(): Promise<{ waiting: number; parked: number; oldestAt: number | null }>
    /** Deletes what was settled before, at most `limit`. Answers how many. */
    dropSettledBefore(at: number, limit: number): Promise<number>
  }
  /** Figures over time. */
  figures: {
    addStats(records: readonly StatsRecord[]): Promise<void>
    /** In the order of time; of one participant, if named. Of a great many, the newest. */
    stats(sessionId: string, participantId?: string): Promise<StatsRecord[]>
    addSample(sample: ServerSample): Promise<void>
    samples(from: number, to: number): Promise<ServerSample[]>
    /** Deletes what is older, at most `limit` of each kind. Answers how many. */
    dropBefore(at: number, limit: number): Promise<number>
  }
  revokedTokens: {
    add(token: RevokedToken): Promise<void>
    list(): Promise<RevokedToken[]>
  }
  signIns: {
    add(signIn: SignInRecord): Promise<void>
    find(tokenHash: string): Promise<SignInRecord | undefined>
    drop(tokenHash: string): Promise<void>
    /** All of them, or those that expired. */
    dropAll(expiredAt?: number): Promise<void>
  }
  /** Small durable values that are sealed as API secrets are. */
  secrets: {
    get(name: string): Promise<string | undefined>
    set(name: string, value: string): Promise<void>
  }
  /** Small durable values, e.g. the first-start sign-in. */
  values: {
    get(name: string): Promise<string | undefined>
    set(name: string, value: string): Promise<void>
  }
  /** Resolves when the store answers and can write. */
  check(): Promise<void>
  /** The same as before while nothing was written, here or by another process; costs less than reading anything. */
  version(): Promise<number>
  close(): Promise<void>
}

/** Why the store cannot be written to. */
export type StoreTrouble = 'full' | 'read-only' | 'locked' | 'damaged' | 'failing'

/** Called when writes begin to fail, with the reason; with undefined when they succeed again. */
export type OnTrouble = (trouble: StoreTrouble | undefined, cause?: unknown) => void
