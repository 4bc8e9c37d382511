/** Connects the outputs of one meeting, and the hidden seats of the pages that record it, with its other parts. */
import type { MeetingRecord } from '../../store/store.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import type { Audience } from '../link.ts'
import type { MeetingMedia } from '../media/meeting-media.ts'
import type { Onlooker } from '../roster/member.ts'
import type { Roster } from '../roster/roster.ts'
import type { SessionLifecycle } from '../session/lifecycle.ts'
import { HiddenSeats } from './hidden-seats.ts'
import { MeetingOutputs } from './outputs.ts'
import type { OutputParts } from './parts.ts'
import { sourceOf } from './source.ts'

export interface OpenOutputsOptions {
  parts: OutputParts
  /** The current record of the meeting. */
  meeting: () => MeetingRecord
  newSecretId: () => string
  roster: Roster
  sessions: SessionLifecycle
  media: MeetingMedia
  everyone: Audience
  attach: (onlooker: Onlooker) => () => void
}

export function openOutputs(options: OpenOutputsOptions): {
  outputs: MeetingOutputs
  hiddenSeats: HiddenSeats
} {
  const { parts, meeting, newSecretId, roster, sessions, media, everyone, attach } = options
  const { projectId, meetingId } = meeting()
  const hiddenSeats = new HiddenSeats({
    newSecretId,
    mintToken: (participantId) => parts.mintToken(projectId, meetingId, participantId),
    vacate: (participantId) => {
      const page = roster.get(participantId)
      if (page) roster.evict(page, leaveReason('ROOM_CLOSE'))
    },
  })
  const outputs = new MeetingOutputs({
    parts,
    meeting,
    sessionId: () => sessions.current?.sessionId,
    sourceFor: (outputId) =>
      sourceOf({
        outputId,
        projectId,
        meetingId,
        sessionId: sessions.required.sessionId,
        roster,
        attach,
        chat: sessions.required.chat,
        openSeat: (name) => Promise.resolve(hiddenSeats.open(name)),
      }),
    isEncrypted: () => media.streams.isEncrypted(),
    tellAll: (notification) => everyone.notify(notification),
    endSession: () => sessions.end(leaveReason('ROOM_CLOSE'), 'recording-lost'),
  })
  return { outputs, hiddenSeats }
}
