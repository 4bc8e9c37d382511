/** What the tile of one participant shows, and what its menu offers. */
import type { Meeting, Moderation, Stream } from '../../client/client.ts'
import type { ChatModel } from './chat-model.ts'
import { onEvents, viewOf, type View } from './view.ts'
import type { ViewSettings } from './view-settings.ts'

export interface TileContent {
  id: string
  name: string
  /** Our own tile. */
  isSelf: boolean
  micOn: boolean
  cameraOn: boolean
  shareOn: boolean
  picture: MediaStreamTrack | undefined
  /** What `picture` is received as; undefined for our own. */
  stream: Stream | undefined
  isSpeaking: boolean
  /** For all. */
  isPinned: boolean
  isPinnedByMe: boolean
  handUp: boolean
  /** Whether we moderate this participant. */
  canModerate: boolean
}

/** What is read of a meeting. */
export type TileSource = Pick<Meeting, 'self' | 'participants' | 'activeSpeakerId' | 'pinnedIds'> & {
  devices: Pick<Meeting['devices'], 'status' | 'camera'>
}

/** Undefined when nobody of this id is in the meeting. @param pinned whom we pinned for ourselves */
export function tileOf(
  meeting: TileSource,
  hands: ReadonlySet<string>,
  pinned: readonly string[],
  id: string,
): TileContent | undefined {
  const { self, devices } = meeting
  const shared = {
    id,
    isSpeaking: meeting.activeSpeakerId === id,
    isPinned: meeting.pinnedIds.has(id),
    isPinnedByMe: pinned.includes(id),
    handUp: hands.has(id),
  }
  if (id === self.id)
    return {
      ...shared,
      name: self.name,
      isSelf: true,
      micOn: devices.status('mic') === 'on',
      cameraOn: devices.status('camera') === 'on',
      shareOn: devices.status('share') === 'on',
      picture: devices.camera,
      stream: undefined,
      canModerate: false,
    }
  const participant = meeting.participants.get(id)
  if (!participant) return undefined
  const { name, micOn, cameraOn, shareOn } = participant
  const stream = [...participant.streams.values()].find(({ kind }) => kind === 'video')
  return {
    ...shared,
    name,
    isSelf: false,
    micOn,
    cameraOn,
    shareOn,
    // While nothing arrives the last picture would stand still.
    picture: stream?.paused === false ? stream.track : undefined,
    stream,
    canModerate: self.canModerate,
  }
}

/** Changes with its own participant, and not with the others. */
export function tileView(
  meeting: Meeting,
  chat: ChatModel,
  settings: ViewSettings,
  id: string,
): View<TileContent | undefined> {
  return viewOf(
    () => tileOf(meeting, chat.state.hands, settings.get().pinned, id),
    onEvents(
      meeting,
      'stateChanged',
      'participantJoined',
      'participantLeft',
      'participantChanged',
      'selfChanged',
      'streamAdded',
      'streamRemoved',
      'streamChanged',
      'activeSpeakerChanged',
      'pinChanged',
      'devicesChanged',
    ),
    chat.subscribe,
    settings.subscribe,
  )
}

/** The calls of `Moderation` that take a participant alone, and those that need more. */
export type TileAction =
  Extract<keyof Moderation, `disable${string}` | `ask${string}`> | 'pinForMe' | 'pin' | 'unpin' | 'remove'

export interface MenuItem {
  label: string
  action: TileAction
}

/** What the tile's menu offers. */
export function menuOf({
  micOn,
  cameraOn,
  shareOn,
  isPinned,
  isPinnedByMe,
  canModerate,
}: Pick<
  TileContent,
  'micOn' | 'cameraOn' | 'shareOn' | 'isPinned' | 'isPinnedByMe' | 'canModerate'
>): MenuItem[] {
  const forMe: MenuItem = { label: isPinnedByMe ? 'Unpin for me' : 'Pin for me', action: 'pinForMe' }
  if (!canModerate) return [forMe]
  return [
    forMe,
    micOn ? { label: 'Mute', action: 'disableMic' } : { label: 'Ask to unmute', action: 'askMic' },
    cameraOn
      ? { label: 'Stop camera', action: 'disableCamera' }
      : { label: 'Ask to turn on camera', action: 'askCamera' },
    ...(shareOn ? [{ label: 'Stop sharing', action: 'disableShare' } as const] : []),
    isPinned ? { label: 'Unpin for all', action: 'unpin' } : { label: 'Pin for all', action: 'pin' },
    { label: 'Remove…', action: 'remove' },
  ]
}

/** The first letters of the first and the last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => Array.from(word ?? '')[0] ?? '')
    .join('')
    .toUpperCase()
}

/** The colour of a participant without a picture, in degrees: always the same for the same id. */
export function hueOf(id: string): number {
  let sum = 0
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 360
  return sum
}
