import type { ChatLimits } from './chat/limits.ts'
import type { Moderation } from './roster/permissions.ts'

/** Settings of the operator for all meetings. */
export interface MeetingSettings extends ChatLimits {
  moderation: Moderation
  lobbyTimeoutMs: number
  /** How long a session outlives its last participant (docs/decisions/0010). */
  sessionGraceMs: number
  /** The least grace of a session that this process took up from another. */
  takeoverGraceMs?: number
  /** How long an admitted connection may take to join. */
  joinTimeoutMs: number
  maxParticipants: number
  /** The maximum number of waiting entry requests. */
  maxEntryRequests: number
  /** Per participant. */
  maxProducers: number
  /** The maximum number of cameras that one client of ours receives at once: of those that it shows, the speakers' first. */
  maxVideoStreams: number
  /** Keys in the realtime store of one session. */
  maxStoreKeys: number
  maxFileBytes: number
  maxSessionFileBytes: number
}
