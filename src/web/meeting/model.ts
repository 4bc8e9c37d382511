/** What every part of the meeting screen has at hand. The same object for as long as the screen shows the meeting. */
import { createContext, use } from 'react'
import type { DeviceRequest, Meeting } from '../../client/client.ts'
import { createActions, type Actions } from './actions.ts'
import { ChatModel } from './chat-model.ts'
import { Notice } from './notice.ts'

export type OpenDialog =
  | { name: 'invite' }
  | { name: 'leave' }
  | { name: 'remove'; id: string; who: string }
  | { name: 'consent'; request: DeviceRequest }

export interface MeetingModel {
  meeting: Meeting
  chat: ChatModel
  notice: Notice
  actions: Actions
  openDialog: (dialog: OpenDialog) => void
}

export function createModel(meeting: Meeting, openDialog: MeetingModel['openDialog']): MeetingModel {
  const chat = new ChatModel(meeting)
  const notice = new Notice()
  return { meeting, chat, notice, actions: createActions(meeting, chat, notice.show), openDialog }
}

/** Follows what happens in the meeting. Returns the way to stop. */
export function follow({ meeting, chat, notice, openDialog }: MeetingModel): () => void {
  const stops = [
    chat.listen(),
    notice.listen(meeting),
    meeting.on('deviceRequested', (request) => openDialog({ name: 'consent', request })),
  ]
  return () => stops.forEach((stop) => stop())
}

export const ModelContext = createContext<MeetingModel | undefined>(undefined)

export function useModel(): MeetingModel {
  return use(ModelContext)!
}
