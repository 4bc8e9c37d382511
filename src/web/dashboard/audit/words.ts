/** The audit log in words. */
import type { AuditEntryAnswer } from '../../../protocol/rest/audit.ts'

export const ACTORS: Record<AuditEntryAnswer['actor'], string> = {
  operator: 'an operator',
  'admin-key': 'the admin key',
  token: 'an app’s token',
  command: 'a command',
  server: 'the server',
  nobody: 'nobody who was let in',
}

/** Kinds of actions, for the filter. */
export const KINDS: readonly (readonly [kind: string, shown: string])[] = [
  ['sign-in', 'signing in'],
  ['second-factor', 'second factors'],
  ['operator', 'operators'],
  ['project', 'projects'],
  ['key', 'keys'],
  ['token', 'tokens'],
  ['meeting', 'meetings'],
  ['session', 'sessions'],
  ['participant', 'participants'],
  ['person', 'people’s data'],
  ['invite', 'invites'],
  ['recording', 'recordings'],
  ['participant-recording', 'recordings of participants'],
  ['track-recording', 'recordings of tracks'],
  ['composite-recording', 'composite recordings'],
  ['hls', 'HLS'],
  ['livestream', 'livestreams'],
  ['transcription', 'transcriptions'],
  ['transcoding', 'transcodings'],
  ['webhook', 'webhooks'],
  ['node', 'nodes'],
]

/** `recording.delete` as `recording: delete`, `inviteId` as `invite id`. */
export const inWords = (name: string): string =>
  name
    .replace('.', ': ')
    .replaceAll('-', ' ')
    .replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** The start of a day in the reader's time zone, plus some ms; undefined if the text is not a date. */
export function dayAt(day: string, plusMs = 0): number | undefined {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00`).getTime() : Number.NaN
  return Number.isNaN(at) ? undefined : at + plusMs
}
