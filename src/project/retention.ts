/** What is older than it must be kept goes, in small steps that hold up nobody. */
import type { Store } from '../store/store.ts'

export interface RetentionOptions {
  store: Pick<Store, 'sessions' | 'figures' | 'outbox' | 'invites' | 'signIns'>
  now: () => number
  /** Records of sessions, their chat logs, settled deliveries and expired invites; 0 keeps them for ever. */
  retentionDays: number
  /** Figures of quality and load; 0 keeps them for ever. */
  statsRetentionDays: number
  /** Lets others have their turn between two steps. */
  pause: () => Promise<void>
}

const DAY_MS = 86_400_000
/** Rows of one step: a few ms of the store's time. */
const STEP = 200

/** Deletes all that is old by now. Answers how many rows went. */
export async function sweep(options: RetentionOptions): Promise<number> {
  const { store, now, retentionDays, statsRetentionDays, pause } = options
  const at = now()
  let gone = 0
  const inSteps = async (days: number, drop: (before: number, limit: number) => Promise<number>) => {
    if (days === 0) return
    for (;;) {
      const dropped = await drop(at - days * DAY_MS, STEP)
      gone += dropped
      if (dropped === 0) return
      await pause()
    }
  }
  await inSteps(retentionDays, (before, limit) => store.sessions.dropEndedBefore(before, limit))
  await inSteps(retentionDays, (before, limit) => store.outbox.dropSettledBefore(before, limit))
  await inSteps(retentionDays, (before, limit) => store.invites.dropExpiredBefore(before, limit))
  await inSteps(statsRetentionDays, (before, limit) => store.figures.dropBefore(before, limit))
  await store.signIns.dropAll(at)
  return gone
}
