/** What webhooks tell (contract, rest-and-tokens §3.4). */

/** Something that happened in a meeting; instants in ms since the epoch. */
export type MeetingFact = { sessionId: string; at: number } & (
  | { event: 'session-started' }
  | { event: 'session-ended'; startedAt: number; reason: string }
  | { event: 'participant-joined' | 'participant-left'; participantId: string; name: string }
)

export type WebhookEvent = MeetingFact['event']

export const webhookEvents: readonly WebhookEvent[] = [
  'session-started',
  'session-ended',
  'participant-joined',
  'participant-left',
]

/** Whether a pattern of a webhook's `events` means this event: its name, `*`, or a prefix before `*`. */
export function meansEvent(pattern: string, event: string): boolean {
  return pattern.endsWith('*') ? event.startsWith(pattern.slice(0, -1)) : pattern === event
}
