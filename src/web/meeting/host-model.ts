/** What the host controls show. */
import type { Meeting, MeetingRules } from '../../client/client.ts'
import type { ChatModel } from './chat-model.ts'
import { onEvents, viewOf, type View } from './view.ts'

export interface HostControls {
  rules: MeetingRules
  /** Raised hands of people who are here, in the order of raising. */
  hands: string[]
}

export function handsHere(
  { self, participants }: Pick<Meeting, 'self' | 'participants'>,
  hands: ReadonlySet<string>,
): string[] {
  return [...hands].filter((id) => id === self.id || participants.has(id))
}

export function hostView(meeting: Meeting, chat: ChatModel): View<HostControls> {
  return viewOf(
    () => ({ rules: meeting.rules, hands: handsHere(meeting, chat.state.hands) }),
    onEvents(meeting, 'rulesChanged', 'participantLeft'),
    chat.subscribe,
  )
}

/** Whether our token moderates. A co-host neither ends the meeting for all nor makes co-hosts. */
export function isHost({ self, rules }: Pick<Meeting, 'self' | 'rules'>): boolean {
  return self.canModerate && !rules.coHosts.includes(self.id)
}

/** Whether we moderate, and whether the meeting is locked. */
export function hostingView(meeting: Meeting): View<{ canModerate: boolean; locked: boolean }> {
  return viewOf(
    () => ({ canModerate: meeting.self.canModerate, locked: meeting.rules.locked }),
    onEvents(meeting, 'stateChanged', 'selfChanged', 'rulesChanged'),
  )
}
