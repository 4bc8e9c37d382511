/** The events of webhooks (contract, rest-and-tokens §3.4). */

/** Something that happened in a meeting; instants in ms since the epoch. */
export type MeetingFact = { sessionId: string; at: number } & (
  | { event: 'session-started' }
  | { event: 'session-ended'; startedAt: number; reason: string }
  | { event: 'participant-joined' | 'participant-left'; participantId: string; name: string }
  | OutputFact
  | JobFact
)

/** Names of outputs in webhooks. */
export type OutputEventName =
  | 'recording'
  | 'hls'
  | 'livestream'
  | 'transcription'
  | 'participant-recording'
  | 'participant-track-recording'
  | 'composite-recording'
export type OutputPhase = 'starting' | 'started' | 'playable' | 'stopping' | 'stopped' | 'failed'

/** Something left the meeting, or ceased to. */
export interface OutputFact {
  event: `${OutputEventName}-${OutputPhase}`
  output: OutputEventName
  /** Fields of the event beyond its meeting and session (contract, outputs §4). */
  details: Record<string, unknown>
  /** A receiver that was named at the start, beside the meeting's own. */
  also: string | null
  /** The output or job that it reports. */
  about: string
}

export type JobPhase = 'started' | 'completed' | 'failed' | 'cancelled'
export type JobEvent =
  | `${'composite-merge' | 'hls-to-mp4' | 'meeting-recording-merge'}-${JobPhase}`
  | `merge-recording-${'completed' | 'failed'}`
  | `transcription-${'started' | 'stopped' | 'failed'}`

/** Something was made of outputs that had ended, or could not be made. */
export interface JobFact extends Pick<OutputFact, 'details' | 'also' | 'about'> {
  event: JobEvent
}

/** Whether a pattern in a webhook's `events` matches this event: its name, `*`, or a prefix before `*`. */
export function meansEvent(pattern: string, event: string): boolean {
  return pattern.endsWith('*') ? event.startsWith(pattern.slice(0, -1)) : pattern === event
}

/** The body of a webhook. A repeated delivery has the same `deliveryId`. */
export type WebhookBody = {
  deliveryId: string
  /** Ms since the epoch. */
  occurredAt: number
} & (
  | { webhookType: 'session-started'; data: InSession & { start: string } }
  | { webhookType: 'session-ended'; data: InSession & { start: string; end: string; reason: string } }
  | {
      webhookType: 'participant-joined' | 'participant-left'
      data: InSession & { participantId: string; participantName: string }
    }
  | { webhookType: OutputFact['event'] | JobFact['event']; data: InSession & Record<string, unknown> }
)

interface InSession {
  meetingId: string
  sessionId: string
}
