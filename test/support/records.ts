import type { MeetingRecord } from '../../src/store/store.ts'

/** A new meeting without settings. */
export function meetingRecord(
  named: Pick<MeetingRecord, 'id' | 'meetingId' | 'projectId'>,
  changes: Partial<MeetingRecord> = {},
): MeetingRecord {
  return { customId: null, settings: {}, disabledAt: null, createdAt: 1, updatedAt: 1, ...named, ...changes }
}
