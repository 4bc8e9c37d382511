/** Events of meetings, for webhooks and metrics. */
export interface MeetingEvents {
  sessionStarted: [session: { meetingId: string; sessionId: string; startedAt: number }]
  sessionEnded: [
    session: { meetingId: string; sessionId: string; startedAt: number; endedAt: number; reason: string },
  ]
  participantJoined: [{ meetingId: string; sessionId: string; participantId: string; name: string }]
  participantLeft: [
    { meetingId: string; sessionId: string; participantId: string; name: string; reason: string },
  ]
}
