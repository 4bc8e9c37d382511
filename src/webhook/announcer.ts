import { meansEvent, type MeetingFact } from '../protocol/webhooks.ts'
import type { Delivery, AnnouncedMeeting, Webhook } from './webhook.ts'

export interface AnnouncerOptions {
  /** The default webhook of a project's meetings. */
  defaultWebhook: (projectId: string) => Webhook | null
  newDeliveryId: () => string
}

/**
 * The deliveries for a fact: to the meeting's webhook or else its project's, where its filter matches, and to the receiver that was
 * named for this output alone.
 */
export function createAnnouncer({ defaultWebhook, newDeliveryId }: AnnouncerOptions) {
  return ({ meetingId, projectId, settings }: AnnouncedMeeting, fact: MeetingFact): Delivery[] => {
    const webhook = settings.webhook ?? defaultWebhook(projectId)
    const { event, sessionId, at: occurredAt } = fact
    const isMeant = webhook?.events.some((pattern) => meansEvent(pattern, event)) ?? false
    const also = 'also' in fact && fact.also !== null ? [fact.also] : []
    const receivers = new Set([...(isMeant ? [webhook!.endPoint] : []), ...also])
    return [...receivers].map((endPoint) => {
      const deliveryId = newDeliveryId()
      return {
        deliveryId,
        projectId,
        meetingId,
        sessionId,
        event,
        endPoint,
        // Compact JSON with plain keys: published samples verify the signature over a body that they parsed and serialised again.
        body: JSON.stringify({
          webhookType: event,
          data: { meetingId, sessionId, ...detailsOf(fact) },
          deliveryId,
          occurredAt,
        }),
        occurredAt,
        about: 'about' in fact ? fact.about : null,
      }
    })
  }
}

const instant = (at: number): string => new Date(at).toISOString()

/** The fields of an event beyond its meeting and session (contract, rest-and-tokens §3.4). */
function detailsOf(fact: MeetingFact): Record<string, unknown> {
  if ('details' in fact) return fact.details
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
