/** How a breakout room carries out what it is told by the meeting that it belongs to. */
import type { LiveMeeting } from '../live-meeting.ts'
import type { RoomEvent } from './rooms.ts'
import { SERVER } from '../roster/actor.ts'

/** Clients before ours show an announcement in the chat, where it also stays. */
const CHAT = 'CHAT'

export async function hearFromParent(live: LiveMeeting, event: RoomEvent): Promise<void> {
  if (live.sessionId === undefined) return
  if (event.type === 'switch') {
    const { participantId, roomId, token, payload } = event
    for (const { id, link } of live.roster.joined())
      if (participantId === undefined || participantId === id)
        void link.request('switchRoom', { roomId, token, payload, peerId: SERVER })
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
