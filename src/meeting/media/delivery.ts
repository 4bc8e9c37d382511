/** The delivery of one stream to one participant: begun once, and given up when the stream is no longer wanted. */
import type { Transport } from '../../media/sfu.ts'
import type { ParticipantMedia } from './participant-media.ts'

/** Records that the producer is delivered over this transport. Returns false if its delivery has already begun. */
export function beginDelivery(
  { consuming }: ParticipantMedia,
  producerId: string,
  transport: Transport,
): boolean {
  if (consuming.has(producerId)) return false
  consuming.set(producerId, transport)
  return true
}

/** Whether the producer is still to be delivered over this transport. */
export function isDue({ consuming }: ParticipantMedia, producerId: string, transport: Transport): boolean {
  return consuming.get(producerId) === transport
}

/** Gives up the delivery over this transport. Returns false if it had already been given up, or moved to another transport. */
export function giveUp(media: ParticipantMedia, producerId: string, transport: Transport): boolean {
  return isDue(media, producerId, transport) && media.consuming.delete(producerId)
}
