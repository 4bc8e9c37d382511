/** The content of one participant's tile, and the entries of its menu. */
import type { Meeting, Moderation, Stream } from '../../client/client.ts'
import { text } from '../texts/texts.ts'
import type { ChatModel } from './chat-model.ts'
import { isHost } from './host-model.ts'
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
  /** The received stream of `picture`; undefined on our own tile. */
  stream: Stream | undefined
  /** What the participant sends cannot be opened with our key. */
  isLocked: boolean
  isSpeaking: boolean
  /** Pinned for all. */
  isPinned: boolean
  isPinnedByMe: boolean
  handUp: boolean
  /** Moderates for this session, by the decision of a moderator. */
  isCoHost: boolean
  /** Whether we may moderate this participant. */
  canModerate: boolean
  /** Whether we may make this participant a co-host. */
  canAppoint: boolean
}

/** The parts of a meeting that a tile reads. */
export type TileSource = Pick<
  Meeting,
  'self' | 'participants' | 'activeSpeakerId' | 'pinnedIds' | 'rules'
> & {
  devices: Pick<Meeting['devices'], 'status' | 'camera'>
}

/** Returns undefined if no participant has this id. @param pinned participants whom we pinned for ourselves */
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
    isCoHost: meeting.rules.coHosts.includes(id),
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
      isLocked: false,
      canModerate: false,
      canAppoint: false,
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
    // While nothing arrives, the last frame would freeze.
    picture: stream?.paused === false && !stream.locked ? stream.track : undefined,
    isLocked: [...participant.streams.values()].some(({ locked }) => locked),
    stream,
    canModerate: self.canModerate,
    canAppoint: isHost(meeting),
  }
}

/** Changes only with its own participant. */
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
      'rulesChanged',
      'devicesChanged',
    ),
    chat.subscribe,
    settings.subscribe,
  )
}

/** Methods of `Moderation` that need only a participant, and those that need more. */
export type TileAction =
  | Exclude<Extract<keyof Moderation, `disable${string}` | `ask${string}`>, 'disableAll'>
  | 'pinForMe'
  | 'pin'
  | 'unpin'
  | 'lowerHand'
  | 'rename'
  | 'makeCoHost'
  | 'endCoHost'
  | 'remove'

export interface MenuItem {
  label: string
  action: TileAction
}

/** The entries of the tile's menu. */
export function menuOf({
  micOn,
  cameraOn,
  shareOn,
  isPinned,
  isPinnedByMe,
  isSelf,
  isCoHost,
  handUp,
  canModerate,
  canAppoint,
}: Pick<
  TileContent,
  | 'micOn'
  | 'cameraOn'
  | 'shareOn'
  | 'isPinned'
  | 'isPinnedByMe'
  | 'isSelf'
  | 'isCoHost'
  | 'handUp'
  | 'canModerate'
  | 'canAppoint'
>): MenuItem[] {
  const forMe: MenuItem = {
    label: text(isPinnedByMe ? 'tile.unpinForMe' : 'tile.pinForMe'),
    action: 'pinForMe',
  }
  if (isSelf) return [forMe, { label: text('host.renameSelf'), action: 'rename' }]
  if (!canModerate) return [forMe]
  return [
    forMe,
    micOn ? { label: text('mute'), action: 'disableMic' } : { label: text('tile.askMic'), action: 'askMic' },
    cameraOn
      ? { label: text('camera.stop'), action: 'disableCamera' }
      : { label: text('tile.askCamera'), action: 'askCamera' },
    ...(shareOn ? [{ label: text('share.stop'), action: 'disableShare' } as const] : []),
    isPinned ? { label: text('tile.unpin'), action: 'unpin' } : { label: text('tile.pin'), action: 'pin' },
    ...(handUp ? [{ label: text('host.lowerHand'), action: 'lowerHand' } as const] : []),
    { label: text('host.rename'), action: 'rename' },
    ...(canAppoint ? [coHostItem(isCoHost)] : []),
    { label: text('tile.remove'), action: 'remove' },
  ]
}

function coHostItem(isCoHost: boolean): MenuItem {
  return isCoHost
    ? { label: text('host.endCoHost'), action: 'endCoHost' }
    : { label: text('host.makeCoHost'), action: 'makeCoHost' }
}

/** The first letter of the first and of the last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => Array.from(word ?? '')[0] ?? '')
    .join('')
    .toUpperCase()
}

/** The hue of a participant without video, in degrees; derived from the id, so it never changes. */
export function hueOf(id: string): number {
  let sum = 0
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 360
  return sum
}
