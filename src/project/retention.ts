/** Deletes expired records in small batches, so that it never blocks the event loop for long. */
import type { JobRecord, NewAuditEntry, OutputRecord, Store } from '../store/store.ts'
import { auditKindOf } from './audit.ts'

export interface RetentionOptions {
  store: Pick<
    Store,
    'sessions' | 'figures' | 'outbox' | 'outputs' | 'jobs' | 'invites' | 'signIns' | 'operators' | 'audit'
  >
  now: () => number
  /** Whether this node deletes what all nodes share. Its own outputs and jobs, whose files it has, it deletes in any case. */
  isMine: boolean
  /** For records of sessions, their chat logs, settled deliveries and expired invites; 0: for ever. */
  retentionDays: number
  /** For measurements of quality and load; 0: for ever. */
  statsRetentionDays: number
  /** For outputs, jobs and their files; 0: for ever. */
  outputRetentionDays: number
  /** For entries of the audit log; 0: for ever. */
  auditRetentionDays: number
  /** Deletes an output with its files. */
  dropOutput: (output: OutputRecord) => Promise<void>
  /** Deletes a job with its files. */
  dropJob: (job: JobRecord) => Promise<void>
  /** Yields between two batches. */
  pause: () => Promise<void>
}

const DAY_MS = 86_400_000
/** Rows per batch: a few ms of the store's time. */
const STEP = 200

/** Deletes everything that has expired. Returns how many rows it deleted. */
export async function sweep(options: RetentionOptions): Promise<number> {
  const {
    store,
    now,
    isMine,
    retentionDays,
    statsRetentionDays,
    outputRetentionDays,
    auditRetentionDays,
    dropOutput,
    dropJob,
    pause,
  } = options
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
  if (isMine) {
    await inSteps(retentionDays, (before, limit) => store.sessions.dropEndedBefore(before, limit))
    await inSteps(retentionDays, (before, limit) => store.outbox.dropSettledBefore(before, limit))
    await inSteps(retentionDays, (before, limit) => store.invites.dropExpiredBefore(before, limit))
    await inSteps(auditRetentionDays, (before, limit) => store.audit.dropBefore(before, limit))
    await inSteps(statsRetentionDays, (before, limit) => store.figures.dropBefore(before, limit))
    await store.signIns.dropAll(at)
    await store.operators.dropInvites(at)
  }
  await inSteps(outputRetentionDays, async (before, limit) => {
    const outputs = await store.outputs.endedBefore(before, limit)
    for (const output of outputs) {
      await dropOutput(output)
      await store.audit.add(deletionOf(output, outputRetentionDays, now()))
    }
    return outputs.length
  })
  await inSteps(outputRetentionDays, async (before, limit) => {
    const jobs = await store.jobs.endedBefore(before, limit)
    for (const job of jobs) await dropJob(job)
    return jobs.length
  })
  return gone
}

/** Says in the audit log that nobody deleted the output. */
function deletionOf(
  { kind, outputId, projectId, meetingId }: OutputRecord,
  outputRetentionDays: number,
  at: number,
): NewAuditEntry {
  return {
    at,
    actor: 'server',
    actorId: null,
    actorName: null,
    role: null,
    action: `${auditKindOf(kind)}.delete`,
    outcome: 'done',
    code: null,
    projectId,
    meetingId,
    subject: outputId,
    facts: { outputRetentionDays },
    address: null,
    requestId: null,
  }
}
