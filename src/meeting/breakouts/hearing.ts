/** How a breakout room carries out what it is told by the meeting that it belongs to. */
import type { LiveMeeting } from '../live-meeting.ts'
import type { RoomEvent } from './rooms.ts'
import type { Participant } from '../roster/participant.ts'
import type { Person } from './plan.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import { wasGivenFor } from '../../token/token.ts'
import { SERVER } from '../roster/actor.ts'

/** Clients before ours show an announcement in the chat, where it also stays. */
const CHAT = 'CHAT'

export async function hearFromParent(live: LiveMeeting, event: RoomEvent): Promise<void> {
  if (live.sessionId === undefined) return
  if (event.type === 'switch') {
    const { who, roomId, token, payload } = event
    for (const participant of live.roster.joined())
      if (!who || isHere(participant, who))
        void participant.link.request('switchRoom', { roomId, token, payload, peerId: SERVER })
    return
  }
  if (event.type === 'remove') {
    for (const participant of [...live.roster.all()])
      if (event.out.some((who) => isHere(participant, who)))
        live.roster.evict(participant, leaveReason('REMOVE_PEER'), new Refusal('REMOVED_FROM_SESSION'))
    return
  }
  const { from, text } = event
  for (const { link } of live.roster.joined())
    link.notify({ method: 'breakoutAnnounced', name: from.name, message: text })
  await live.publish(
    { ...from, authority: { canAdmit: true, canModerate: true } },
    { topic: CHAT, message: text, payload: Buffer.alloc(0), persist: true, sendOnly: [], messageId: '' },
  )
}

/** Whether a participant of the room is this person of the parent meeting: an id may have had several holders there. */
function isHere({ id, grant }: Participant, { participantId, tokenId }: Person): boolean {
  return id === participantId && wasGivenFor(grant, tokenId)
}
