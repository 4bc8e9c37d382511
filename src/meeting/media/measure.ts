import type { StatsRecord } from '../../store/store.ts'
import type { Participant } from '../roster/participant.ts'
import type { MeetingMedia } from './meeting-media.ts'
import { figuresOf } from './quality.ts'

/** Measures the media of these participants once. Relay guests have none of their own. */
export async function measureAll(
  participants: readonly Participant[],
  media: MeetingMedia,
  sessionId: string,
  at: number,
): Promise<StatsRecord[]> {
  const measured = await Promise.all(
    participants.map(async (participant): Promise<StatsRecord[]> => {
      if (participant.relayed) return []
      try {
        const figures = figuresOf(await media.measure(participant))
        return [{ sessionId, participantId: participant.id, at, figures }]
      } catch {
        // It left, or its worker died, while it was measured.
        return []
      }
    }),
  )
  return measured.flat()
}
