/** A WHIP client as a member: an ingress, which everybody sees, mutes and removes like a person. */
import type { LiveMeetings } from '../../meeting/live-meetings.ts'
import type { LiveMeeting } from '../../meeting/live-meeting.ts'
import type { Participant } from '../../meeting/roster/participant.ts'
import type { RtpParameters } from '../../protocol/media.ts'
import { ProgramLink } from '../../meeting/roster/program-link.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import type { Opening, StreamSession } from './session.ts'

export interface SenderParts {
  meetings: Pick<LiveMeetings, 'requestEntry'>
  newEtag: () => string
  onEnd: (session: StreamSession) => void
}

/** Enters, joins and sends; when a step fails, nothing is left behind. @throws {Refusal} */
export async function openSender(
  {
    id,
    meeting,
    grant,
    participantId,
    name,
    offer,
    streams,
  }: Opening & { id: string; streams: RtpParameters[] },
  { meetings, newEtag, onEnd }: SenderParts,
): Promise<StreamSession> {
  let self: Participant | undefined
  let session: StreamSession | undefined
  let over: Refusal | undefined
  const link = new ProgramLink({
    connectionId: `whip:${id}`,
    onClose: (_reason, refusal) => {
      over = refusal ?? new Refusal('INVALID_STATE', { message: 'The stream was ended meanwhile.' })
      // Evicted members have left already; those whose media died have not.
      leave()
      if (session) onEnd(session)
    },
    answers: () => Promise.resolve(session?.transport.line.dtls === 'connected'),
  })
  const entered: { live?: LiveMeeting } = {}
  const leave = (): void => {
    if (entered.live && self) entered.live.roster.leave(self, leaveReason('MANUAL_LEAVE_CALLED'))
  }
  const entry = await meetings.requestEntry(meeting, {
    grant,
    participantId,
    name,
    kind: 'ingress',
    link,
    admitted: (participant) => (self = participant),
  })
  const { live } = entry
  entered.live = live
  const { media, roster } = live
  const { sessionId } = live
  const assertGoesOn = (): void => {
    if (over) throw over
  }
  try {
    if (!self || entry.state !== 'admitted') throw new Refusal('INVALID_PERMISSIONS')
    const transport = await media.createTransport(self, { producing: true, consuming: false })
    await transport.connect(offer.dtls)
    const { afterReply } = await roster.join(self, {}, assertGoesOn)
    afterReply()
    for (const [index, rtpParameters] of streams.entries())
      await media.streams.produce(self, {
        transportId: transport.id,
        kind: offer.media[index]!.kind,
        rtpParameters,
      })
    assertGoesOn()
    session = {
      id,
      way: 'send',
      meeting,
      sessionId,
      participantId,
      grant,
      transport,
      etag: newEtag(),
      ice: offer.ice,
      end: () => {
        leave()
        onEnd(session!)
      },
    }
    return session
  } catch (error) {
    leave()
    throw error
  }
}
