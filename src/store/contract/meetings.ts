import type { Page, PageOf } from './pages.ts'
import type { WebhookSettings } from './projects.ts'

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

export interface MeetingStore {
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
