/** `anteroom audit …`, and the entries that commands write. */
import { userInfo } from 'node:os'
import { auditAsText, factsInWords, type AuditFormat } from '../api/rest/audit-log.ts'
import type { AuditEntry, AuditFact, AuditFilter, Store } from '../store/store.ts'
import { CommandError, exitCodes, table, type Command, type CommandInput } from './arguments.ts'
import { withCore } from './core.ts'

const PER_PAGE = 50
const FORMATS: readonly string[] = ['csv', 'jsonl'] satisfies AuditFormat[]

/** What a command did: the id that it acted on, and what else may be kept. */
export interface Deed {
  action: string
  subject?: string
  projectId?: string
  facts?: Record<string, AuditFact>
}

/** Writes that the user of this machine ran a command that changed something. */
export async function recordDeed(
  { audit }: Pick<Store, 'audit'>,
  { action, subject, projectId, facts = {} }: Deed,
): Promise<void> {
  const user = userInfo().username
  await audit.add({
    at: Date.now(),
    actor: 'command',
    actorId: user,
    actorName: user,
    role: null,
    action,
    outcome: 'done',
    code: null,
    projectId: projectId ?? null,
    meetingId: null,
    subject: subject ?? null,
    facts,
    address: null,
    requestId: null,
  })
}

const filterOptions = {
  operator: { value: 'id', help: 'only of this operator, API key or user of the machine' },
  action: { value: 'action', help: 'only this, e.g. recording.delete; or a kind, e.g. recording' },
  subject: { value: 'id', help: 'only about this recording, key, operator, meeting …' },
  from: { value: 'instant', help: 'only from then on, e.g. 2026-01-31 or 2026-01-31T12:00:00Z' },
  to: { value: 'instant', help: 'only until then' },
}

function filterOf({ operator, action, subject, from, to }: CommandInput['values']): AuditFilter {
  return {
    ...(typeof operator === 'string' && { actorId: operator }),
    ...(typeof action === 'string' && { action }),
    ...(typeof subject === 'string' && { subject }),
    ...(typeof from === 'string' && { from: instantOf('from', from) }),
    ...(typeof to === 'string' && { to: instantOf('to', to) }),
  }
}

function instantOf(option: string, text: string): number {
  const at = Date.parse(text)
  if (Number.isNaN(at))
    throw new CommandError(`--${option} must be an instant, e.g. 2026-01-31T12:00:00Z.`, exitCodes.usage)
  return at
}

const who = ({ actor, actorName }: AuditEntry): string =>
  actorName === null ? actor : `${actorName} (${actor})`

export const auditCommands: readonly Command[] = [
  {
    name: 'audit list',
    summary: 'lists who did what on this server, newest first',
    options: { ...filterOptions, page: { value: 'n', help: `page of ${PER_PAGE}; default 1` } },
    run: ({ env, values }) =>
      withCore(env, async ({ store }) => {
        const page = Number(values.page ?? 1)
        if (!Number.isInteger(page) || page < 1)
          throw new CommandError('--page must be a whole number of at least 1.', exitCodes.usage)
        const { items, total } = await store.audit.list({ page, perPage: PER_PAGE }, filterOf(values))
        const rows = items.map((entry) => [
          new Date(entry.at).toISOString(),
          who(entry),
          entry.action,
          entry.subject ?? '',
          entry.outcome === 'refused' ? `refused ${entry.code ?? ''}`.trim() : factsInWords(entry),
          entry.address ?? '',
        ])
        const last = Math.max(1, Math.ceil(total / PER_PAGE))
        const text = table(['AT', 'WHO', 'ACTION', 'ON', 'DETAILS', 'FROM'], rows)
        return {
          json: { total, page, data: items },
          text: last > 1 ? `${text}\npage ${page} of ${last}` : text,
        }
      }),
  },
  {
    name: 'audit export',
    summary: 'prints the audit log, oldest first',
    options: { ...filterOptions, format: { value: 'format', help: `${FORMATS.join(' or ')}; default csv` } },
    run: ({ env, values, json, show }) =>
      withCore(env, async ({ store }) => {
        if (json) throw new CommandError('Use --format jsonl instead of --json.', exitCodes.usage)
        const format = values.format ?? 'csv'
        if (typeof format !== 'string' || !FORMATS.includes(format))
          throw new CommandError(`--format must be ${FORMATS.join(' or ')}.`, exitCodes.usage)
        for await (const part of auditAsText(store.audit, filterOf(values), format as AuditFormat))
          await show({ json: null, text: part.replace(/\r?\n$/, '') })
        return { json: null, text: '', isShown: true }
      }),
  },
]
