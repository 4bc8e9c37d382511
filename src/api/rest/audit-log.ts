/** The audit log as a file. It is read part by part, so that a long log needs no more memory than a short one. */
import type { AuditEntry, AuditFilter, Store } from '../../store/store.ts'
import { BYTE_ORDER_MARK, csvRow } from './csv.ts'

export type AuditFormat = 'csv' | 'jsonl'

const PART = 500
const COLUMNS = [
  'number',
  'at',
  'actor',
  'actorId',
  'actorName',
  'role',
  'action',
  'outcome',
  'code',
  'projectId',
  'meetingId',
  'subject',
  'facts',
  'address',
  'requestId',
] as const satisfies (keyof AuditEntry)[]

/** The entries as text, oldest first, in parts. */
export async function* auditAsText(
  audit: Pick<Store['audit'], 'read'>,
  filter: AuditFilter,
  format: AuditFormat,
): AsyncGenerator<string> {
  if (format === 'csv') yield BYTE_ORDER_MARK + csvRow(COLUMNS)
  for (let after = 0; ;) {
    const entries = await audit.read(after, PART, filter)
    if (entries.length > 0) yield entries.map(format === 'csv' ? toRow : toLine).join('')
    if (entries.length < PART) return
    after = entries.at(-1)!.number
  }
}

function toRow(entry: AuditEntry): string {
  const shown = { ...entry, at: new Date(entry.at).toISOString(), facts: factsInWords(entry) }
  return csvRow(COLUMNS.map((column) => String(shown[column] ?? '')))
}

const toLine = (entry: AuditEntry): string =>
  `${JSON.stringify({ ...entry, at: new Date(entry.at).toISOString() })}\n`

/** `role=viewer fields=name role`. */
export const factsInWords = ({ facts }: Pick<AuditEntry, 'facts'>): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
