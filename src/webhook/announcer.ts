import { meansEvent, type MeetingFact } from '../protocol/webhooks.ts'
import type { Delivery, ToldMeeting, Webhook } from './webhook.ts'

export interface AnnouncerOptions {
  /** The webhook of a project's meetings that have none of their own. */
  defaultWebhook: (projectId: string) => Webhook | null
  newDeliveryId: () => string
}

/** What is to be delivered of a fact: nothing, or one delivery to the meeting's own webhook or else its project's. */
export function createAnnouncer({ defaultWebhook, newDeliveryId }: AnnouncerOptions) {
  return ({ meetingId, projectId, settings }: ToldMeeting, fact: MeetingFact): Delivery[] => {
    const webhook = settings.webhook ?? defaultWebhook(projectId)
    if (!webhook?.events.some((pattern) => meansEvent(pattern, fact.event))) return []
    const deliveryId = newDeliveryId()
    const { event, sessionId, at: occurredAt } = fact
    return [
      {
        deliveryId,
        projectId,
        meetingId,
        sessionId,
        event,
        endPoint: webhook.endPoint,
        // Compact and with plain keys: published samples verify over a body that was parsed and written again.
        body: JSON.stringify({
          webhookType: event,
          data: { meetingId, sessionId, ...detailsOf(fact) },
          deliveryId,
          occurredAt,
        }),
        occurredAt,
      },
    ]
  }
}

const instant = (at: number): string => new Date(at).toISOString()

/** What an event says beyond its meeting and session (contract, rest-and-tokens §3.4). */
function detailsOf(fact: MeetingFact): Record<string, string> {
  switch (fact.event) {
    case 'session-started':
      return { start: instant(fact.at) }
    case 'session-ended':
      return { start: instant(fact.startedAt), end: instant(fact.at), reason: fact.reason }
    case 'participant-joined':
    case 'participant-left':
      return { participantId: fact.participantId, participantName: fact.name }
  }
}
