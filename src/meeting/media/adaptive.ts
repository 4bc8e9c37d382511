/** Whose camera one receives when it cannot be everybody's, and whose comes first on a narrow line. */
import type { StreamKind } from '../../protocol/media.ts'

/** Cameras that one participant with adaptive subscription receives at once (contract, signalling §4.1). */
export const ADAPTIVE_CAMERAS = 6

/**
 * The owners whose cameras stand still: all but the `limit` most recent speakers, and after them those who were there first.
 * @param owners in the order in which they came
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
 * From 1 to 255: who is served first with more than the smallest picture when a receiver's line is narrow. Sound is not in
 * the contest: it is always sent.
 */
export function priorityOf(kind: StreamKind, isSpeaker: boolean): number {
  if (kind === 'share') return SHARE_PRIORITY
  return isSpeaker ? SPEAKER_PRIORITY : PRIORITY
}
