/**
 * Decides who is on the first page of tiles. If all tiles fit on one page, nobody moves. Otherwise a speaker from
 * another page replaces the participant on the first page who has been silent longest, and nobody else moves.
 */
import type { Meeting } from '../../client/client.ts'

export class TileSeats {
  /** When each participant last spoke, as a count of turns. */
  readonly #spokeAt = new Map<string, number>()
  #turns = 0
  #firstPage: readonly string[] = []

  /** Follows the active speaker. Returns a function that stops it. */
  listen(meeting: Pick<Meeting, 'on'>): () => void {
    const stops = [
      meeting.on('activeSpeakerChanged', (id) => id !== null && this.#spokeAt.set(id, ++this.#turns)),
      meeting.on('participantLeft', ({ id }) => this.#spokeAt.delete(id)),
    ]
    return () => stops.forEach((stop) => stop())
  }

  /** @param ids in order of joining, ourselves first if our own tile is among them */
  arrange(ids: readonly string[], perPage: number): string[] {
    if (ids.length <= perPage) {
      this.#firstPage = ids
      return [...ids]
    }
    this.#firstPage = seatsOf(this.#firstPage, ids, perPage, this.#spokeAt)
    const seated = new Set(this.#firstPage)
    return [...this.#firstPage, ...ids.filter((id) => !seated.has(id))]
  }
}

/** Derives the next first page from the previous one. The first id keeps its place, because it is our own. */
function seatsOf(
  before: readonly string[],
  ids: readonly string[],
  perPage: number,
  spokeAt: ReadonlyMap<string, number>,
): string[] {
  const present = new Set(ids)
  const kept = before.filter((id) => present.has(id)).slice(0, perPage)
  const others = ids.filter((id) => !kept.includes(id))
  const seats = [...kept, ...others.slice(0, perPage - kept.length)]
  const speakers = ids
    .filter((id) => spokeAt.has(id) && !seats.includes(id))
    .sort((one, other) => spokeAt.get(one)! - spokeAt.get(other)!)
  for (const speaker of speakers) {
    let silent = 1
    for (let at = 2; at < seats.length; at++)
      if ((spokeAt.get(seats[at]!) ?? 0) < (spokeAt.get(seats[silent]!) ?? 0)) silent = at
    if (silent < seats.length && (spokeAt.get(seats[silent]!) ?? 0) < spokeAt.get(speaker)!)
      seats[silent] = speaker
  }
  return seats
}
