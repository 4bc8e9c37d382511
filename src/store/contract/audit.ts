import type { Page, PageOf } from './pages.ts'
import type { OperatorRole } from './operators.ts'

/**
 * Who acted: an operator who was signed in, the admin key, an app by a token, a command at this machine, the server by
 * itself, or somebody who was not let in.
 */
export type AuditActor = 'operator' | 'admin-key' | 'token' | 'command' | 'server' | 'nobody'

/** A value of the audit log that is no text of a caller's choice: an id, a name of a field, a role, a number. */
export type AuditFact = string | number | boolean | null

export interface NewAuditEntry {
  at: number
  actor: AuditActor
  /** The operator, the API key of the token, or the user of the machine. */
  actorId: string | null
  /** The operator's name at that time. */
  actorName: string | null
  role: OperatorRole | null
  /** `kind.verb`, e.g. `recording.delete`. */
  action: string
  outcome: 'done' | 'refused'
  /** The code of the refusal. */
  code: string | null
  projectId: string | null
  meetingId: string | null
  /** The id of what was acted on. */
  subject: string | null
  facts: Record<string, AuditFact>
  /** The network address of the caller. */
  address: string | null
  requestId: string | null
}

export interface AuditEntry extends NewAuditEntry {
  /** Grows with each entry. */
  number: number
}

export interface AuditFilter {
  actor?: AuditActor
  actorId?: string
  /** A whole action, or the kind before its dot. */
  action?: string
  /** Exactly this id: what was acted on, or its meeting. */
  subject?: string
  outcome?: NewAuditEntry['outcome']
  from?: number
  to?: number
}

/** Entries are added, and deleted when their time is over. The database refuses every other change of them. */
export interface AuditStore {
  add(entry: NewAuditEntry): Promise<void>
  /** Newest first. */
  list(page: Page, filter?: AuditFilter): Promise<PageOf<AuditEntry>>
  /** Oldest first, after an entry. */
  read(after: number, limit: number, filter?: AuditFilter): Promise<AuditEntry[]>
  /** Deletes entries before an instant. Returns how many. */
  dropBefore(before: number, limit: number): Promise<number>
}
