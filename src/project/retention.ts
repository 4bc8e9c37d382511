/** Deletes expired records in small batches, so that it never blocks the event loop for long. */
import type { JobRecord, NewAuditEntry, OutputRecord, Store } from '../store/store.ts'
import { dayOf, DAY_MS } from '../protocol/days.ts'
import { auditKindOf } from './audit.ts'

export interface RetentionOptions {
  store: Pick<
    Store,
    | 'sessions'
    | 'chat'
    | 'figures'
    | 'outbox'
    | 'outputs'
    | 'jobs'
    | 'invites'
    | 'signIns'
    | 'operators'
    | 'audit'
    | 'usage'
  >
  now: () => number
  /** Whether this node deletes what all nodes share. Its own outputs and jobs, whose files it has, it deletes in any case. */
  isMine: boolean
  /** For records of sessions with all that is in them, and for expired invites; 0: for ever. */
  retentionDays: number
  /** For chat; default: as for sessions; 0: as long as its session. */
  chatRetentionDays?: number | undefined
  /** For settled deliveries of webhooks; default: as for sessions; 0: for ever. */
  webhookRetentionDays?: number | undefined
  /** For measurements of quality and load; 0: for ever. */
  statsRetentionDays: number
  /** For outputs and jobs with their files, except transcriptions; 0: for ever. */
  outputRetentionDays: number
  /** For transcriptions, also those made of recordings; default: as for other outputs; 0: for ever. */
  transcriptRetentionDays?: number | undefined
  /** For entries of the audit log; 0: for ever. */
  auditRetentionDays: number
  /** For usage of days and months; 0: for ever. */
  usageRetentionDays: number
  /** Deletes an output with its files. */
  dropOutput: (output: OutputRecord) => Promise<void>
  /** Deletes a job with its files. */
  dropJob: (job: JobRecord) => Promise<void>
  /** Yields between two batches. */
  pause: () => Promise<void>
}

/** Rows per batch: a few ms of the store's time. */
const STEP = 200

/** Deletes everything that has expired. Returns how many rows it deleted. */
export async function sweep(options: RetentionOptions): Promise<number> {
  const {
    store,
    now,
    isMine,
    retentionDays,
    chatRetentionDays = 0,
    webhookRetentionDays = retentionDays,
    statsRetentionDays,
    outputRetentionDays,
    transcriptRetentionDays = outputRetentionDays,
    auditRetentionDays,
    usageRetentionDays,
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
    await inSteps(chatRetentionDays, (before, limit) => store.chat.dropBefore(before, limit))
    await inSteps(webhookRetentionDays, (before, limit) => store.outbox.dropSettledBefore(before, limit))
    await inSteps(retentionDays, (before, limit) => store.invites.dropExpiredBefore(before, limit))
    await inSteps(auditRetentionDays, (before, limit) => store.audit.dropBefore(before, limit))
    await inSteps(usageRetentionDays, (before, limit) => store.usage.dropBefore(dayOf(before), limit))
    await inSteps(statsRetentionDays, (before, limit) => store.figures.dropBefore(before, limit))
    await store.signIns.dropAll(at)
    await store.operators.dropInvites(at)
  }
  for (const [name, days, isTranscription] of [
    ['outputRetentionDays', outputRetentionDays, false],
    ['transcriptRetentionDays', transcriptRetentionDays, true],
  ] as const) {
    await inSteps(days, async (before, limit) => {
      const outputs = await store.outputs.endedBefore(before, limit, isTranscription)
      for (const output of outputs) {
        await dropOutput(output)
        await store.audit.add(deletionOf(output, { [name]: days }, now()))
      }
      return outputs.length
    })
    await inSteps(days, async (before, limit) => {
      const jobs = await store.jobs.endedBefore(before, limit, isTranscription)
      for (const job of jobs) await dropJob(job)
      return jobs.length
    })
  }
  return gone
}

/** Says in the audit log that nobody deleted the output. */
function deletionOf(
  { kind, outputId, projectId, meetingId }: OutputRecord,
  facts: NewAuditEntry['facts'],
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
    facts,
    address: null,
    requestId: null,
  }
}
