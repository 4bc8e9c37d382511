/** The people in the lobby and in the meeting. */
import type { EntryRequest, Meeting } from '../../client/client.ts'
import type { ChatModel } from './chat-model.ts'
import { handsHere } from './host-model.ts'
import { everyone } from './stage-model.ts'
import { onEvents, viewOf, type View } from './view.ts'

/** The entry requests that we may answer, oldest first. */
function waitingOf({
  self,
  lobby,
}: Pick<Meeting, 'self'> & { lobby: Pick<Meeting['lobby'], 'requests'> }): EntryRequest[] {
  return self.canAdmit ? [...lobby.requests.values()] : []
}

export function waitingView(meeting: Meeting): View<EntryRequest[]> {
  return viewOf(() => waitingOf(meeting), onEvents(meeting, 'stateChanged', 'entryRequested', 'entrySettled'))
}

/** The ids of all participants: those with a raised hand in the order of raising, then ourselves and the others. */
export function hereView(meeting: Meeting, chat: ChatModel): View<string[]> {
  return viewOf(
    () => [...new Set([...handsHere(meeting, chat.state.hands), ...everyone(meeting)])],
    onEvents(meeting, 'stateChanged', 'participantJoined', 'participantLeft'),
    chat.subscribe,
  )
}

/** The other participants, sorted by name. */
export function othersView(meeting: Meeting): View<{ id: string; name: string }[]> {
  return viewOf(
    () => [...meeting.participants.values()].map(({ id, name }) => ({ id, name })),
    onEvents(meeting, 'participantJoined', 'participantLeft', 'participantChanged'),
  )
}
