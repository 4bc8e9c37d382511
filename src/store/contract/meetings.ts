import type { Page, PageOf } from './pages.ts'
import type { WebhookSettings } from './projects.ts'

export interface AutoClose {
  type: 'session-ends' | 'session-end-and-deactivate'
  /** Minutes from session start (docs/decisions/0011). */
  duration: number
}

/** Settings that a caller may give at creation. They are returned unchanged. */
export interface MeetingSettings {
  webhook?: WebhookSettings
  autoCloseConfig?: AutoClose
  autoStartConfig?: Record<string, unknown>
  geoFence?: string
  multiComposition?: Record<string, unknown>
  allowedParticipantIds?: string[]
  /** Whether people with the bare address may ask to join (docs/decisions/0023). Absent: no. */
  knock?: boolean
  /** The session that this meeting is a breakout room of, and its name there; set by the server alone. */
  breakoutOf?: { meetingId: string; sessionId: string; name: string }
  /** `required`: nothing that the server could decode may be sent (docs/encryption.md). Absent: optional. */
  encryption?: 'required'
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

export interface MeetingStore {
  /**
   * Idempotent on (projectId, customId), also under concurrent calls: returns the meeting that exists. Every id names one
   * meeting of a project. Throws `IdTaken` if the custom id is the id of another meeting, and `StoreConflict` if the new id is
   * another meeting's custom id.
   */
  create(meeting: MeetingRecord): Promise<MeetingRecord>
  withCustomId(projectId: string, customId: string): Promise<MeetingRecord | undefined>
  /** By meetingId, customId or id, within one project. */
  find(projectId: string, anyId: string): Promise<MeetingRecord | undefined>
  /** By canonical meetingId, in any project. */
  get(meetingId: string): Promise<MeetingRecord | undefined>
  /** Newest first; `query` matches meetingId or customId exactly. */
  list(projectId: string, page: Page, query?: string): Promise<PageOf<MeetingRecord>>
  disable(meetingId: string, at: number): Promise<MeetingRecord | undefined>
  /** Atomic: changes these settings and keeps the others. */
  configure(
    meetingId: string,
    changes: Pick<MeetingSettings, 'knock'>,
    at: number,
  ): Promise<MeetingRecord | undefined>
}
