/** Bringing one stream to one participant: asked for once, and given up when it is not wanted any more. */
import type { Transport } from '../../media/sfu.ts'
import type { ParticipantMedia } from './participant-media.ts'

/** Notes that this producer is delivered over this transport; returns false if it already is, or is about to be. */
export function beginDelivery(
  { consuming }: ParticipantMedia,
  producerId: string,
  transport: Transport,
): boolean {
  if (consuming.has(producerId)) return false
  consuming.set(producerId, transport)
  return true
}

/** Whether it is to come over this transport, still. */
export function isDue({ consuming }: ParticipantMedia, producerId: string, transport: Transport): boolean {
  return consuming.get(producerId) === transport
}

/** The producer is not delivered over this transport after all. Returns whether it still was to be. */
export function giveUp(media: ParticipantMedia, producerId: string, transport: Transport): boolean {
  return isDue(media, producerId, transport) && media.consuming.delete(producerId)
}
