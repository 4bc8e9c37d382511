/** How a route declares what the audit log keeps of its calls. */
import type { AuditFact } from '../../store/store.ts'

/** What the audit log keeps of a route's calls. */
export interface Audit<Asked = unknown, Answer = unknown> {
  /** `kind.verb`, e.g. `recording.delete`. */
  action: string
  /** The id of what was acted on. Default: what the call is about, or the last id in its address. */
  subject?(asked: Asked, answer: Answer): string | null | undefined
  /** What else is kept: never a secret, and no text that a caller chose. */
  facts?(asked: Asked, answer: Answer): Record<string, AuditFact>
  /** Whether calls with a token are kept too. Default: calls of operators alone. */
  tokens?: true
  /** Whether refused calls are kept too. */
  refusals?: true
}

/** The names of the fields that a body has, without their values. */
export const fieldsOf = (body: object): string => Object.keys(body).toSorted().join(' ')
