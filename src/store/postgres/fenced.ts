/** Writes that only the home of a meeting may make. */
import { sql, type Kysely } from 'kysely'
import { Refusal } from '../../protocol/errors.ts'
import type { Fence } from '../cluster.ts'
import type { Schema } from '../sql/schema.ts'
import { together } from '../sql/together.ts'

type Work<T> = (tx: Kysely<Schema>) => Promise<T>

/**
 * Adds the check that this process is still the home. Its lock is shared among writes, and keeps another node from becoming the home
 * until they are committed, so that the other reads all of them.
 */
export function fenced<T>(fence: Fence | undefined, meetingId: string | undefined, work: Work<T>): Work<T> {
  // Takes the epoch at the call, because by the time of the write the meeting may have come back under another epoch.
  const epoch = meetingId === undefined ? undefined : fence?.epochOf(meetingId)
  if (!fence || meetingId === undefined || epoch === undefined) return work
  return async (tx) => {
    const check = async (): Promise<void> => {
      const { rows } = await sql<{ epoch: number }>`
        select epoch from homes where meeting_id = ${meetingId} for share`.execute(tx)
      if (rows[0]?.epoch === epoch) return
      fence.lost(meetingId, epoch)
      throw new Refusal('SERVER_STOPPING', {
        reason: 'fenced',
        message: 'The meeting moved to another server; the connection comes back by itself.',
      })
    }
    // One round trip for both: if the check fails, the work is rolled back.
    const [, value] = await together([check(), work(tx)])
    return value
  }
}
