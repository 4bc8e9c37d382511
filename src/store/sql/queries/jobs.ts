import type { Selectable } from 'kysely'
import { dayOf } from '../../../protocol/days.ts'
import type { JobChange, JobFilter, JobRecord, Store } from '../../store.ts'
import type { Schema } from '../schema.ts'
import type { SqlContext } from '../sql-context.ts'
import { insertDeliveries, lineName, type OutboxSignal } from './outbox.ts'
import { addUsage, USAGE } from './usage.ts'

export function jobQueries({ db, write, seal, nodeId }: SqlContext, signal: OutboxSignal): Store['jobs'] {
  const matching = (projectId: string, filter: JobFilter) => {
    const { kinds, jobId, meetingId, sessionId, outputId, state } = filter
    let query = db
      .selectFrom('jobs')
      .where('deleted_at', 'is', null)
      .where('project_id', '=', projectId)
      .where('kind', 'in', kinds)
    if (jobId !== undefined) query = query.where('job_id', '=', jobId)
    if (meetingId !== undefined) query = query.where('meeting_id', '=', meetingId)
    if (sessionId !== undefined) query = query.where('session_id', '=', sessionId)
    if (outputId !== undefined) query = query.where('output_id', '=', outputId)
    if (state !== undefined) query = query.where('state', '=', state)
    return query
  }
  /** Only those that this node does, as it has their files. */
  const allOfOurs = () => {
    const all = db.selectFrom('jobs').selectAll()
    return nodeId === null ? all : all.where('node_id', '=', nodeId)
  }
  const ours = () => allOfOurs().where('deleted_at', 'is', null)
  return {
    create: async (job, uploadTo) => {
      await write({ lane: job.meetingId }, (tx) =>
        tx
          .insertInto('jobs')
          .values({
            ...toRow(job),
            node_id: nodeId,
            counted_bytes: null,
            deleted_at: null,
            upload_address: uploadTo === undefined ? null : seal.seal(uploadTo, job.jobId),
          })
          .execute(),
      )
    },
    change: async (jobId, change, deliveries = []) => {
      // Deliveries of a meeting are written in order.
      const holds = deliveries.map(({ meetingId, endPoint }) => lineName(meetingId, endPoint))
      await write({ lane: deliveries[0]?.meetingId ?? jobId, holds }, async (tx) => {
        await tx.updateTable('jobs').set(toChange(change)).where('job_id', '=', jobId).execute()
        await insertDeliveries(tx, deliveries)
      })
      if (deliveries.length > 0) signal.notify()
    },
    get: async (jobId) => {
      const row = await db
        .selectFrom('jobs')
        .selectAll()
        .where('job_id', '=', jobId)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      return row && toJob(row)
    },
    list: async (projectId, filter, { page, perPage }) => {
      const { total } = await matching(projectId, filter)
        .select((select) => select.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await matching(projectId, filter)
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('job_id', 'desc')
        .limit(perPage)
        .offset((page - 1) * perPage)
        .execute()
      return { items: rows.map(toJob), total }
    },
    unfinished: async () => {
      const rows = await ours()
        .where('ended_at', 'is', null)
        .orderBy('created_at')
        .orderBy('job_id')
        .execute()
      return rows.map(toJob)
    },
    awaitingUpload: async (limit) => {
      const rows = await ours()
        .where('upload_address', 'is not', null)
        .where('ended_at', 'is not', null)
        .orderBy('ended_at')
        .limit(limit)
        .execute()
      return rows.map((row) => ({ job: toJob(row), uploadTo: seal.open(row.upload_address!, row.job_id) }))
    },
    endUpload: async (jobId) => {
      await write({ lane: jobId }, (tx) =>
        tx.updateTable('jobs').set({ upload_address: null }).where('job_id', '=', jobId).execute(),
      )
    },
    endedBefore: async (at, limit, isTranscription) => {
      const rows = await ours()
        .where('kind', isTranscription ? '=' : '!=', 'post-transcription')
        .where('ended_at', '<', at)
        .orderBy('ended_at')
        .limit(limit)
        .execute()
      return rows.map(toJob)
    },
    markDeleted: async (jobId, at) => {
      await write({ lane: jobId }, (tx) =>
        tx.updateTable('jobs').set({ deleted_at: at }).where('job_id', '=', jobId).execute(),
      )
    },
    deleted: async (limit) => {
      const rows = await allOfOurs()
        .where('deleted_at', 'is not', null)
        .orderBy('deleted_at')
        .limit(limit)
        .execute()
      return rows.map(toJob)
    },
    unstored: async (limit) => {
      const rows = await ours()
        .where('stored_at', 'is', null)
        .where('ended_at', 'is not', null)
        .orderBy('ended_at')
        .limit(limit)
        .execute()
      return rows.map(toJob)
    },
    delete: (jobId, at) =>
      write({ ...USAGE, lane: jobId }, async (tx) => {
        const gone = await tx
          .deleteFrom('jobs')
          .where('job_id', '=', jobId)
          .returning(['project_id', 'api_key', 'counted_bytes'])
          .executeTakeFirst()
        if (gone?.counted_bytes)
          await addUsage(tx, [
            {
              day: dayOf(at),
              projectId: gone.project_id,
              apiKey: gone.api_key,
              storedBytes: -gone.counted_bytes,
            },
          ])
        return gone !== undefined
      }),
  }
}

function toRow(
  job: JobRecord,
): Omit<Schema['jobs'], 'node_id' | 'upload_address' | 'counted_bytes' | 'deleted_at'> {
  return {
    job_id: job.jobId,
    kind: job.kind,
    project_id: job.projectId,
    meeting_id: job.meetingId,
    session_id: job.sessionId,
    output_id: job.outputId,
    config: JSON.stringify(job.config),
    inputs: JSON.stringify(job.inputs),
    secret: job.secret,
    base_url: job.baseUrl,
    webhook_url: job.webhookUrl,
    api_key: job.apiKey,
    state: job.state,
    created_at: job.createdAt,
    started_at: job.startedAt,
    ended_at: job.endedAt,
    files: JSON.stringify(job.files),
    problem: job.problem,
    stored_at: job.storedAt,
  }
}

function toChange({ state, startedAt, endedAt, files, problem, storedAt }: JobChange) {
  return {
    ...(state !== undefined && { state }),
    ...(startedAt !== undefined && { started_at: startedAt }),
    ...(endedAt !== undefined && { ended_at: endedAt }),
    ...(files !== undefined && { files: JSON.stringify(files) }),
    ...(problem !== undefined && { problem }),
    ...(storedAt !== undefined && { stored_at: storedAt }),
  }
}

function toJob(row: Selectable<Schema['jobs']>): JobRecord {
  return {
    jobId: row.job_id,
    kind: row.kind,
    projectId: row.project_id,
    meetingId: row.meeting_id,
    sessionId: row.session_id,
    outputId: row.output_id,
    config: JSON.parse(row.config) as JobRecord['config'],
    inputs: JSON.parse(row.inputs) as JobRecord['inputs'],
    secret: row.secret,
    baseUrl: row.base_url,
    webhookUrl: row.webhook_url,
    apiKey: row.api_key,
    state: row.state,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    files: JSON.parse(row.files) as JobRecord['files'],
    problem: row.problem,
    storedAt: row.stored_at,
  }
}
