/** The moves of somebody who stays in the meeting. */
import { Moves } from '../../src/web/meeting/breakouts/moves.ts'
import type { FakeMeeting } from './fake-meeting.ts'

export function fakeMoves({ meetingId, asMeeting: meeting }: FakeMeeting): Moves {
  return new Moves({
    pass: { token: '', meetingId },
    meeting,
    onMove: () => undefined,
    onLeft: () => undefined,
  })
}
