/** The objects that every part of the meeting screen needs. They stay the same while the screen shows the meeting. */
import { callAttention } from '../attention.ts'
import { createContext, use } from 'react'
import type { DeviceRequest, Meeting } from '../../client/client.ts'
import { keepEffects } from '../effects/keep.ts'
import { effectChoices } from '../effects/chosen.ts'
import { createActions, type Actions } from './actions.ts'
import type { Moves } from './breakouts/moves.ts'
import { ChatPictures } from './chat-files.ts'
import { ChatModel } from './chat-model.ts'
import { watchDevices } from './device-watch.ts'
import { hearMutedTalk } from './muted-talk.ts'
import { Notice } from './notice.ts'
import { keepAwake, listenToOutsideButtons } from './phone.ts'
import { Quality } from './quality.ts'
import { ShownPictures } from './shown-pictures.ts'
import { TileSeats } from './tile-seats.ts'
import { ViewSettings } from './view-settings.ts'
import { isolated } from '../isolate.ts'
import { onEvents } from './view.ts'
import { text, useLanguage } from '../texts/texts.ts'

export type OpenDialog =
  | { name: 'invite' }
  | { name: 'leave' }
  | { name: 'shortcuts' }
  | { name: 'settings' }
  | { name: 'remove'; id: string; who: string }
  | { name: 'host' }
  | { name: 'rename'; id: string; who: string }
  | { name: 'consent'; request: DeviceRequest }

export interface MeetingModel {
  meeting: Meeting
  chat: ChatModel
  pictures: ChatPictures
  notice: Notice
  actions: Actions
  shown: ShownPictures
  quality: Quality
  settings: ViewSettings
  seats: TileSeats
  moves: Moves
  openDialog: (dialog: OpenDialog) => void
}

/** How long sizes must be stable before they are reported, because animations and dragged windows change them often. */
const SETTLE_MS = 150

export function createModel(
  meeting: Meeting,
  openDialog: MeetingModel['openDialog'],
  moves: Moves,
): MeetingModel {
  const notice = new Notice()
  const chat = new ChatModel(meeting, ({ fromName, text: said }) =>
    notice.show(text('chat.mentioned', { name: isolated(fromName), said: isolated(shortened(said)) })),
  )
  const pictures = new ChatPictures(meeting.files)
  const shown = new ShownPictures({ page: document, later: (work) => void setTimeout(work, SETTLE_MS) })
  const settings = new ViewSettings(browserStorage())
  const seats = new TileSeats()
  const quality = new Quality(meeting)
  const actions = createActions(meeting, chat, notice.show)
  return { meeting, chat, pictures, notice, actions, shown, settings, seats, quality, openDialog, moves }
}

const MAX_NOTICE_LENGTH = 100

function shortened(said: string): string {
  const characters = Array.from(said)
  return characters.length <= MAX_NOTICE_LENGTH ? said : `${characters.slice(0, MAX_NOTICE_LENGTH).join('')}…`
}

/** Returns undefined if the browser denies access to it. */
function browserStorage(): Storage | undefined {
  try {
    return localStorage
  } catch {
    return undefined
  }
}

/** Follows the meeting. Returns a function that stops it. */
export function follow({
  meeting,
  chat,
  pictures,
  notice,
  shown,
  seats,
  quality,
  settings,
  actions,
  openDialog,
}: MeetingModel): () => void {
  const stops = [
    chat.listen(),
    () => pictures.close(),
    notice.listen(meeting),
    shown.listen(meeting),
    seats.listen(meeting),
    watchDevices(meeting, notice.show),
    keepEffects(meeting.devices, onEvents(meeting, 'devicesChanged', 'stateChanged')),
    effectChoices.onProblem((problem) => notice.show(text(`effects.${problem}`))),
    hearMutedTalk(meeting, settings, () => notice.show(text('mic.mutedTalk'))),
    quality.listen(),
    keepAwake(),
    listenToOutsideButtons(meeting, actions),
    meeting.on('entryRequested', ({ name }) => callAttention('asked', text('knock.attention', { name }))),
    meeting.on('deviceRequested', (request) => openDialog({ name: 'consent', request })),
  ]
  return () => stops.forEach((stop) => stop())
}

export const ModelContext = createContext<MeetingModel | undefined>(undefined)

/** Every part of the screen calls it, and is drawn again in another language. */
export function useModel(): MeetingModel {
  useLanguage()
  return use(ModelContext)!
}
