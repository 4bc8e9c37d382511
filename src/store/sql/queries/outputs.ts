import type { Selectable } from 'kysely'
import { dayOf } from '../../../protocol/days.ts'
import type { NewDelivery, OutputChange, OutputFilter, OutputRecord, Store } from '../../store.ts'
import { Refusal } from '../../../protocol/errors.ts'
import type { Schema } from '../schema.ts'
import { reach, Totals } from '../pages.ts'
import type { SqlContext } from '../sql-context.ts'
import { insertDeliveries, lineName, type OutboxSignal } from './outbox.ts'
import { pieceQueries, withPieces } from './output-pieces.ts'
import { addUsage, USAGE } from './usage.ts'

export function outputQueries(context: SqlContext, signal: OutboxSignal): Store['outputs'] {
  const totals = new Totals()
  const { db, write, seal, nodeId } = context
  /** Deliveries of a meeting are written in order. */
  const turnOf = (lane: string, deliveries: readonly NewDelivery[]) => ({
    lane,
    holds: deliveries.map(({ meetingId, endPoint }) => lineName(meetingId, endPoint)),
  })
  const matching = (projectId: string, filter: OutputFilter) => {
    const { kind, meetingId, sessionId, participantId, trackKind, hasEnded } = filter
    let query = db
      .selectFrom('outputs')
      .where('deleted_at', 'is', null)
      .where('project_id', '=', projectId)
      .where('kind', '=', kind)
    if (meetingId !== undefined) query = query.where('meeting_id', '=', meetingId)
    if (sessionId !== undefined) query = query.where('session_id', '=', sessionId)
    if (participantId !== undefined) query = query.where('participant_id', '=', participantId)
    if (trackKind !== undefined) query = query.where('track_kind', '=', trackKind)
    if (hasEnded) query = query.where('ended_at', 'is not', null)
    return query
  }
  const live = () => db.selectFrom('outputs').selectAll().where('deleted_at', 'is', null)
  /** Only those whose files this node has. */
  const ours = () => (nodeId === null ? live() : live().where('node_id', '=', nodeId))
  return {
    create: async (output, deliveries = [], uploadTo) => {
      await write({ ...turnOf(output.meetingId, deliveries), fence: output.meetingId }, async (tx) => {
        await tx
          .insertInto('outputs')
          .values({
            ...toRow(output),
            deleted_at: null,
            node_id: nodeId,
            counted_bytes: null,
            upload_address: uploadTo === undefined ? null : seal.seal(uploadTo, output.outputId),
          })
          .execute()
        await insertDeliveries(tx, deliveries)
      })
      if (deliveries.length > 0) signal.notify()
    },
    change: async (outputId, change, deliveries = []) => {
      await write(turnOf(deliveries[0]?.meetingId ?? outputId, deliveries), async (tx) => {
        const changed = { ...toChange(change), output_id: outputId }
        const update = tx.updateTable('outputs').set(changed).where('output_id', '=', outputId)
        if (nodeId === null) await update.execute()
        else {
          // A node that made it until another one took over tells nothing of it any more.
          const { numUpdatedRows } = await update.where('node_id', '=', nodeId).executeTakeFirst()
          if (numUpdatedRows === 0n) throw movedOn()
        }
        await insertDeliveries(tx, deliveries)
      })
      if (deliveries.length > 0) signal.notify()
    },
    get: async (outputId) => {
      const row = await db
        .selectFrom('outputs')
        .selectAll()
        .where('output_id', '=', outputId)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      return row && (await withPieces(db, [row], [toOutput(row)]))[0]
    },
    list: async (projectId, filter, paging) => {
      const total = await totals.of([projectId, filter], async () => {
        const counted = await matching(projectId, filter)
          .select((select) => select.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow()
        return counted.total
      })
      const way = reach(paging, total)
      if (!way) return { items: [], total }
      const found = await matching(projectId, filter)
        .selectAll()
        .orderBy('created_at', way.direction)
        .orderBy('output_id', way.direction)
        .limit(way.limit)
        .offset(way.offset)
        .execute()
      const rows = way.inOrder(found)
      return { items: await withPieces(db, rows, rows.map(toOutput)), total }
    },
    unfinished: async () => {
      const left = ours().where('ended_at', 'is', null)
      if (nodeId === null) return (await left.execute()).map(toOutput)
      const rows = await left
        .where((where) =>
          where.or([
            where('state', '=', 'stopping'),
            where.not(
              where.exists(
                where
                  .selectFrom('sessions')
                  .select('sessions.session_id')
                  .whereRef('sessions.session_id', '=', 'outputs.session_id')
                  .where('sessions.ended_at', 'is', null),
              ),
            ),
          ]),
        )
        .execute()
      return rows.map(toOutput)
    },
    endedBefore: async (at, limit, isTranscription) => {
      const rows = await ours()
        .where('kind', isTranscription ? '=' : '!=', 'transcription')
        .where('ended_at', '<', at)
        .orderBy('ended_at')
        .limit(limit)
        .execute()
      return rows.map(toOutput)
    },
    markDeleted: async (outputId, at) => {
      await write({ lane: outputId }, (tx) =>
        tx.updateTable('outputs').set({ deleted_at: at }).where('output_id', '=', outputId).execute(),
      )
    },
    deleted: async (limit) => {
      const gone = db.selectFrom('outputs').selectAll().where('deleted_at', 'is not', null)
      const rows = await (nodeId === null ? gone : gone.where('node_id', '=', nodeId))
        .orderBy('deleted_at')
        .limit(limit)
        .execute()
      return rows.map(toOutput)
    },
    unstored: async (limit) => {
      const rows = await ours()
        .where('stored_at', 'is', null)
        .where('ended_at', 'is not', null)
        .orderBy('ended_at')
        .limit(limit)
        .execute()
      return rows.map(toOutput)
    },
    awaitingUpload: async (limit) => {
      const rows = await ours()
        .where('upload_address', 'is not', null)
        .where('ended_at', 'is not', null)
        .orderBy('ended_at')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        output: toOutput(row),
        uploadTo: seal.open(row.upload_address!, row.output_id),
      }))
    },
    endUpload: async (outputId) => {
      await write({ lane: outputId }, (tx) =>
        tx.updateTable('outputs').set({ upload_address: null }).where('output_id', '=', outputId).execute(),
      )
    },
    elsewhere: async (id) => {
      if (nodeId === null) return undefined
      const row = await db
        .selectFrom('outputs')
        .select('node_id')
        .where('output_id', '=', id)
        .unionAll(db.selectFrom('jobs').select('node_id').where('job_id', '=', id))
        .executeTakeFirst()
      return row?.node_id === nodeId ? undefined : (row?.node_id ?? undefined)
    },
    delete: (outputId, at) =>
      write({ ...USAGE, lane: outputId }, async (tx) => {
        const gone = await tx
          .deleteFrom('outputs')
          .where('output_id', '=', outputId)
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
    pieces: pieceQueries(context, toOutput),
  }
}

const movedOn = (): Refusal =>
  new Refusal('SERVER_STOPPING', { reason: 'fenced', message: 'The output went on at another server.' })

function toRow(
  output: OutputRecord,
): Omit<Schema['outputs'], 'deleted_at' | 'node_id' | 'upload_address' | 'piece' | 'counted_bytes'> {
  return {
    output_id: output.outputId,
    kind: output.kind,
    project_id: output.projectId,
    meeting_id: output.meetingId,
    session_id: output.sessionId,
    participant_id: output.participantId,
    track_kind: output.kind === 'track' ? String(output.config.kind) : null,
    config: JSON.stringify(output.config),
    secret: output.secret,
    base_url: output.baseUrl,
    webhook_url: output.webhookUrl,
    api_key: output.apiKey,
    state: output.state,
    created_at: output.createdAt,
    started_at: output.startedAt,
    ended_at: output.endedAt,
    files: JSON.stringify(output.files),
    stored_at: output.storedAt,
  }
}

function toChange({ state, startedAt, endedAt, files, storedAt }: OutputChange) {
  return {
    ...(state !== undefined && { state }),
    ...(startedAt !== undefined && { started_at: startedAt }),
    ...(endedAt !== undefined && { ended_at: endedAt }),
    ...(files !== undefined && { files: JSON.stringify(files) }),
    ...(storedAt !== undefined && { stored_at: storedAt }),
  }
}

function toOutput(row: Selectable<Schema['outputs']>): OutputRecord {
  return {
    outputId: row.output_id,
    kind: row.kind,
    projectId: row.project_id,
    meetingId: row.meeting_id,
    sessionId: row.session_id,
    participantId: row.participant_id,
    config: JSON.parse(row.config) as OutputRecord['config'],
    secret: row.secret,
    baseUrl: row.base_url,
    webhookUrl: row.webhook_url,
    apiKey: row.api_key,
    state: row.state,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    files: JSON.parse(row.files) as OutputRecord['files'],
    storedAt: row.stored_at,
  }
}
