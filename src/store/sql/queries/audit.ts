/** The audit log. Its table refuses changes, see migration 0049. */
import type { Kysely, Selectable } from 'kysely'
import type { AuditEntry, AuditFact, AuditFilter, NewAuditEntry, Store } from '../../store.ts'
import type { Schema } from '../schema.ts'
import type { SqlContext } from '../sql-context.ts'
import { reach, Totals } from '../pages.ts'

const TURN = { lane: 'audit' }

export function auditQueries({ db, write }: SqlContext): Store['audit'] {
  const totals = new Totals()
  return {
    add: async (entry) => {
      await write(TURN, (tx) => tx.insertInto('audit_entries').values(rowOf(entry)).execute())
    },
    list: async (paging, filter = {}) => {
      const total = await totals.of(filter, async () => {
        const counted = await matching(db, filter)
          .select((select) => select.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow()
        return counted.total
      })
      const way = reach(paging, total)
      if (!way) return { items: [], total }
      const rows = await matching(db, filter)
        .selectAll()
        .orderBy('number', way.direction)
        .limit(way.limit)
        .offset(way.offset)
        .execute()
      return { items: way.inOrder(rows).map(toEntry), total }
    },
    read: async (after, limit, filter = {}) => {
      const rows = await matching(db, filter)
        .selectAll()
        .where('number', '>', after)
        .orderBy('number')
        .limit(limit)
        .execute()
      return rows.map(toEntry)
    },
    dropBefore: (before, limit) =>
      write(TURN, async (tx) => {
        const ripe = await tx
          .selectFrom('audit_entries')
          .select('number')
          .where('at', '<', before)
          .orderBy('at')
          .limit(limit)
          .execute()
        if (ripe.length === 0) return 0
        // What the trigger lets go, for this transaction alone.
        await tx.insertInto('audit_retention').values({ before }).execute()
        const { numDeletedRows } = await tx
          .deleteFrom('audit_entries')
          .where(
            'number',
            'in',
            ripe.map(({ number }) => number),
          )
          .executeTakeFirst()
        await tx.deleteFrom('audit_retention').execute()
        return Number(numDeletedRows)
      }),
  }
}

function matching(db: Kysely<Schema>, filter: AuditFilter) {
  const { actor, actorId, action, subject, outcome, from, to } = filter
  let rows = db.selectFrom('audit_entries')
  if (actor !== undefined) rows = rows.where('actor', '=', actor)
  if (actorId !== undefined) rows = rows.where('actor_id', '=', actorId)
  if (action !== undefined)
    rows = action.includes('.')
      ? rows.where('action', '=', action)
      : // A range, so that the index serves: `/` follows the dot.
        rows.where('action', '>=', `${action}.`).where('action', '<', `${action}/`)
  if (subject !== undefined)
    rows = rows.where((where) =>
      where.or([where('subject', '=', subject), where('meeting_id', '=', subject)]),
    )
  if (outcome !== undefined) rows = rows.where('outcome', '=', outcome)
  if (from !== undefined) rows = rows.where('at', '>=', from)
  if (to !== undefined) rows = rows.where('at', '<=', to)
  return rows
}

function rowOf(entry: NewAuditEntry) {
  return {
    at: entry.at,
    actor: entry.actor,
    actor_id: entry.actorId,
    actor_name: entry.actorName,
    role: entry.role,
    action: entry.action,
    outcome: entry.outcome,
    code: entry.code,
    project_id: entry.projectId,
    meeting_id: entry.meetingId,
    subject: entry.subject,
    facts: JSON.stringify(entry.facts),
    address: entry.address,
    request_id: entry.requestId,
  }
}

function toEntry(row: Selectable<Schema['audit_entries']>): AuditEntry {
  return {
    number: row.number,
    at: row.at,
    actor: row.actor,
    actorId: row.actor_id,
    actorName: row.actor_name,
    role: row.role,
    action: row.action,
    outcome: row.outcome,
    code: row.code,
    projectId: row.project_id,
    meetingId: row.meeting_id,
    subject: row.subject,
    facts: JSON.parse(row.facts) as Record<string, AuditFact>,
    address: row.address,
    requestId: row.request_id,
  }
}
