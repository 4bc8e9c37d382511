/** The SDK's events as React state: one counter that rises with each, so that a component reads the meeting itself. */
import { useEffect, useReducer } from 'react'
import type { Meeting, MeetingEvents } from '../../client/client.ts'

const SHOWN: readonly (keyof MeetingEvents)[] = [
  'stateChanged',
  'mediaPreparing',
  'participantJoined',
  'participantLeft',
  'participantChanged',
  'selfChanged',
  'streamAdded',
  'streamRemoved',
  'streamChanged',
  'activeSpeakerChanged',
  'pinChanged',
  'entryRequested',
  'entrySettled',
  'devicesChanged',
]

export function useMeeting(meeting: Meeting): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0)
  useEffect(() => {
    const stops = SHOWN.map((event) => meeting.on(event, redraw))
    return () => stops.forEach((stop) => stop())
  }, [meeting])
}
