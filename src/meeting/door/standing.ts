/** Who is always let in: which holder of a token is the person whom a moderator meant. */
import type { Store } from '../../store/store.ts'
import type { Grant } from '../../token/token.ts'

/** More would be a list that nobody looks through. */
export const MAX_STANDING = 500

/**
 * Whether somebody with this id and token is let in always. Knowing an id is not enough: the token is the one with which the person asked, or
 * both are bound to the id by whoever signed them.
 */
export async function isLetInAlways(
  store: Pick<Store, 'standing'>,
  { meetingId }: { meetingId: string },
  grant: Pick<Grant, 'entry' | 'tokenId' | 'participantId'>,
  participantId: string,
): Promise<boolean> {
  // Everybody else enters without asking.
  if (grant.entry !== 'ask') return false
  const isBound = grant.participantId === participantId
  const all = await store.standing.of(meetingId, participantId)
  return all.some(({ tokenId, bound }) => tokenId === grant.tokenId || (bound && isBound))
}
