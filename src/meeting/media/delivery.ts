/** Bringing one stream to one participant: asked for once, and given up when it is not wanted any more. */
import type { Transport } from '../../media/sfu.ts'
import type { ParticipantMedia } from './participant-media.ts'

/** Notes that this producer comes over this transport; false where it does already, or is about to. */
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

/** It does not come over this transport after all. Says whether it was to, still. */
export function giveUp(media: ParticipantMedia, producerId: string, transport: Transport): boolean {
  return isDue(media, producerId, transport) && media.consuming.delete(producerId)
}
