import type { ChatLimits } from './chat/limits.ts'
import type { Moderation } from './roster/permissions.ts'

/** What the operator decides about every meeting. */
export interface MeetingSettings extends ChatLimits {
  moderation: Moderation
  lobbyTimeoutMs: number
  /** How long a session outlives its last participant (docs/decisions/0010). */
  sessionGraceMs: number
  /** How long an admitted connection may take to join. */
  joinTimeoutMs: number
  maxParticipants: number
  /** Entry requests that wait at once. */
  maxEntryRequests: number
  /** For one participant. */
  maxProducers: number
  /** Of the realtime store, in one session. */
  maxStoreKeys: number
  maxFileBytes: number
  maxSessionFileBytes: number
}
