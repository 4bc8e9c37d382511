import type { OutputKind } from '../store/store.ts'

/** The kind that the audit log names for an output: `recording.delete`, `track-recording.delete`. */
export const auditKindOf = (kind: OutputKind): string =>
  kind === 'participant' || kind === 'track' || kind === 'composite' ? `${kind}-recording` : kind
