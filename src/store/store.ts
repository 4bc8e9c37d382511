/**
 * The contract of the store: what survives a restart. Every call is asynchronous; a call that resolved has reached the disk.
 * Instants are ms since the epoch. The store has no rules of its own: they live in `meeting/` and `project/`.
 */
import type { ProjectStore } from './contract/projects.ts'
import type { KeyStore } from './contract/keys.ts'
import type { MeetingStore } from './contract/meetings.ts'
import type { SessionStore } from './contract/sessions.ts'
import type { InviteStore } from './contract/invites.ts'
import type { StandingStore } from './contract/standing.ts'
import type { ChatStore } from './contract/chat.ts'
import type { PollStore } from './contract/polls.ts'
import type { FileStore } from './contract/files.ts'
import type { OutboxStore } from './contract/outbox.ts'
import type { OutputStore } from './contract/outputs.ts'
import type { JobStore } from './contract/jobs.ts'
import type { LeaseStore } from './contract/leases.ts'
import type { SessionValueStore } from './contract/session-values.ts'
import type { FigureStore } from './contract/figures.ts'
import type { UsageStore } from './contract/usage.ts'
import type { OperatorStore } from './contract/operators.ts'
import type { PeopleStore } from './contract/people.ts'
import type { AuditStore } from './contract/audit.ts'
import type { RevokedTokenStore, SignInStore } from './contract/access.ts'

export type { Page, PageOf } from './contract/pages.ts'
export type { ProjectRecord, WebhookSettings } from './contract/projects.ts'
export type { ApiKeyRecord } from './contract/keys.ts'
export type { AutoClose, MeetingSettings, MeetingRecord } from './contract/meetings.ts'
export type { SessionRecord, StayRecord, IntervalRecord, RemovalRecord } from './contract/sessions.ts'
export type { InviteRecord, InviteCounts } from './contract/invites.ts'
export type { StandingAdmission } from './contract/standing.ts'
export type { ChatRecord, KeptMessage, ChatFilter, Newest, Stretch, ChatShare } from './contract/chat.ts'
export type { PollRecord, VoteRecord } from './contract/polls.ts'
export type { NewDelivery, DeliveryState, DeliveryRecord, DeliveryTry } from './contract/outbox.ts'
export type {
  OutputChange,
  OutputFileRecord,
  OutputFilter,
  OutputKind,
  OutputPiece,
  OutputRecord,
  OutputState,
} from './contract/outputs.ts'
export type { JobChange, JobFilter, JobInput, JobKind, JobRecord, JobState } from './contract/jobs.ts'
export type { StatsQuery, StatsRecord } from './contract/figures.ts'
export type {
  UncountedOutput,
  UncountedStay,
  UsageAddition,
  UsagePeak,
  UsageQuery,
  UsageRow,
  UsageSums,
} from './contract/usage.ts'
export type { SessionValue } from './contract/session-values.ts'
export type { AuditActor, AuditEntry, AuditFact, AuditFilter, NewAuditEntry } from './contract/audit.ts'
export type { ErasedCounts, PersonalRecord } from './contract/people.ts'
export type { RevokedToken, SignInRecord } from './contract/access.ts'
export type {
  GrantEnd,
  OperatorChange,
  OperatorInvite,
  OperatorRecord,
  OperatorRole,
} from './contract/operators.ts'

export interface Store {
  projects: ProjectStore
  keys: KeyStore
  meetings: MeetingStore
  sessions: SessionStore
  invites: InviteStore
  standing: StandingStore
  chat: ChatStore
  polls: PollStore
  files: FileStore
  outbox: OutboxStore
  figures: FigureStore
  outputs: OutputStore
  jobs: JobStore
  usage: UsageStore
  leases: LeaseStore
  /** Undefined for a server that is alone, which keeps shared values in memory. */
  sessionValues: SessionValueStore | undefined
  revokedTokens: RevokedTokenStore
  signIns: SignInStore
  operators: OperatorStore
  audit: AuditStore
  people: PeopleStore
  /** Small values, sealed like API secrets. */
  secrets: {
    get(name: string): Promise<string | undefined>
    set(name: string, value: string): Promise<void>
    /** Sets the value if there is none. Returns the value that is there then: of two calls at once, both return the same. */
    setIfAbsent(name: string, value: string): Promise<string>
  }
  /** Small values, such as the first-start sign-in. */
  values: {
    get(name: string): Promise<string | undefined>
    set(name: string, value: string): Promise<void>
    /** Sets the value if there is none. Returns the value that is there then: of two calls at once, both return the same. */
    setIfAbsent(name: string, value: string): Promise<string>
    /** Replaces `expected`. Returns false if the value is another one or missing: of two calls at once, one succeeds. */
    compareAndSet(name: string, expected: string, value: string): Promise<boolean>
  }
  /** Resolves if the store answers and can write. */
  check(): Promise<void>
  /** Changes whenever this process or another one has changed a key, a project or the revoked tokens. Cheaper than reading them. */
  version(): Promise<number | string>
  close(): Promise<void>
}

/** Why writes to the store fail. */
export type StoreTrouble = 'full' | 'read-only' | 'locked' | 'damaged' | 'failing' | 'away'

/** Called when writes begin to fail, with the reason; with undefined when they succeed again. */
export type OnTrouble = (trouble: StoreTrouble | undefined, cause?: unknown) => void
