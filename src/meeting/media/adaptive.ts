/** Whose camera one receives when it cannot be everybody's. */

/** Cameras that one participant with adaptive subscription receives at once. */
const ADAPTIVE_CAMERAS = 6

/**
 * The owners whose cameras stand still: all but the most recent speakers, and after them those who were there first.
 * @param owners in the order in which they came
 * @param speakers most recent first
 */
export function pausedOwners(owners: readonly string[], speakers: readonly string[]): Set<string> {
  const rank = new Map(speakers.map((id, at) => [id, at]))
  const byDominance = [...owners].sort(
    (one, other) => (rank.get(one) ?? speakers.length) - (rank.get(other) ?? speakers.length),
  )
  return new Set(byDominance.slice(ADAPTIVE_CAMERAS))
}
