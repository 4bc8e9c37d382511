/** Chooses whose cameras a participant receives if it may not receive all, and which comes first on a narrow line. */
import type { StreamKind } from '../../protocol/media.ts'

/** Cameras that one participant with adaptive subscription receives at once (contract, signalling §4.1). */
export const ADAPTIVE_CAMERAS = 6

/**
 * Returns the owners whose cameras are paused: all except the `limit` most recent speakers and, if those are fewer, the
 * earliest participants.
 * @param owners in the order of joining
 * @param speakers most recent first
 */
export function pausedOwners(
  owners: readonly string[],
  speakers: readonly string[],
  limit: number,
): Set<string> {
  if (owners.length <= limit) return new Set()
  const rank = new Map(speakers.map((id, at) => [id, at]))
  const byDominance = [...owners].sort(
    (one, other) => (rank.get(one) ?? speakers.length) - (rank.get(other) ?? speakers.length),
  )
  return new Set(byDominance.slice(limit))
}

const SHARE_PRIORITY = 200
const SPEAKER_PRIORITY = 100
const PRIORITY = 1

/**
 * The priority, from 1 to 255, with which a stream gets more than the smallest size on a narrow line. Sound needs none:
 * it is always sent.
 */
export function priorityOf(kind: StreamKind, isSpeaker: boolean): number {
  if (kind === 'share') return SHARE_PRIORITY
  return isSpeaker ? SPEAKER_PRIORITY : PRIORITY
}
