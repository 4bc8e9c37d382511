/** The content of the header and the bar of a meeting. */
import type { DeviceStatus, Meeting, OutputName } from '../../client/client.ts'
import type { IconName } from '../parts/icon.tsx'
import { unanswered } from './activities/polls-model.ts'
import type { ChatModel } from './chat-model.ts'
import type { TextKey } from '../texts/languages.ts'
import { text } from '../texts/texts.ts'
import { onEvents, viewOf, type View } from './view.ts'
import type { ViewState } from './view-settings.ts'

export type PanelName = 'people' | 'chat' | 'activities'
export type ButtonName = 'mic' | 'camera' | 'share' | 'people' | 'chat' | 'activities' | 'hand'

export interface BarButtonContent {
  name: ButtonName
  icon: IconName
  label: string
  /** The shortcut key. */
  hint: string
  /** A device that is off. */
  isOff: boolean
  isActive: boolean
  /** The device is being switched; the button still works. */
  isBusy: boolean
  /** Shown on the button unless it is 0. */
  count: number
}

export interface BarFacts {
  mic: DeviceStatus
  camera: DeviceStatus
  share: DeviceStatus
  /** Entry requests that we may answer. */
  waiting: number
  unread: number
  /** Polls that wait for our vote. */
  unanswered: number
  handUp: boolean
}

/**
 * Whether the device is on or about to be. The wish counts, so that the second of two quick clicks undoes the first.
 */
export function isWanted(status: DeviceStatus): boolean {
  return status === 'on' || status === 'turningOn'
}

export function barOf(facts: BarFacts, panel: PanelName | undefined): BarButtonContent[] {
  const { mic, camera, share, waiting, unread, unanswered, handUp } = facts
  const plain = { isOff: false, isActive: false, isBusy: false, count: 0 }
  return [
    {
      ...plain,
      name: 'mic',
      icon: isWanted(mic) ? 'mic' : 'micOff',
      label: text(isWanted(mic) ? 'mute' : 'unmute'),
      hint: 'm',
      isOff: !isWanted(mic),
      isBusy: isOnItsWay(mic),
    },
    {
      ...plain,
      name: 'camera',
      icon: isWanted(camera) ? 'camera' : 'cameraOff',
      label: text(isWanted(camera) ? 'camera.stop' : 'camera.start'),
      hint: 'v',
      isOff: !isWanted(camera),
      isBusy: isOnItsWay(camera),
    },
    {
      ...plain,
      name: 'share',
      icon: 'share',
      label: text(share === 'on' ? 'share.stop' : 'share.start'),
      hint: 's',
      isActive: share === 'on',
      isBusy: isOnItsWay(share),
    },
    {
      ...plain,
      name: 'people',
      icon: 'people',
      label:
        waiting > 0
          ? `${text('participants')}, ${text('participants.waiting', { count: waiting })}`
          : text('participants'),
      hint: 'p',
      isActive: panel === 'people',
      count: waiting,
    },
    {
      ...plain,
      name: 'chat',
      icon: 'chat',
      label: unread > 0 ? text('chat.unread', { count: unread }) : text('chat'),
      hint: 'c',
      isActive: panel === 'chat',
      count: unread,
    },
    {
      ...plain,
      name: 'activities',
      icon: 'poll',
      label:
        unanswered > 0
          ? `${text('activities')}, ${text('activities.open', { count: unanswered })}`
          : text('activities'),
      hint: 'a',
      isActive: panel === 'activities',
      count: unanswered,
    },
    {
      ...plain,
      name: 'hand',
      icon: 'hand',
      label: text(handUp ? 'hand.lower' : 'hand.raise'),
      hint: 'h',
      isActive: handUp,
    },
  ]
}

function isOnItsWay(status: DeviceStatus): boolean {
  return status === 'turningOn' || status === 'turningOff'
}

export function barView(meeting: Meeting, chat: ChatModel): View<BarFacts> {
  const { devices, lobby, self } = meeting
  return viewOf(
    () => ({
      mic: devices.status('mic'),
      camera: devices.status('camera'),
      share: devices.status('share'),
      waiting: lobby.requests.size,
      unread: chat.state.unread,
      unanswered: unanswered(meeting.polls.all.values()).length,
      handUp: chat.state.hands.has(self.id),
    }),
    onEvents(meeting, 'stateChanged', 'devicesChanged', 'entryRequested', 'entrySettled', 'pollChanged'),
    chat.subscribe,
  )
}

export interface Header {
  /** Why the meeting is interrupted, in one sentence; undefined if it is not. */
  interruption: string | undefined
  canInvite: boolean
  /** The outputs that everybody is told about. */
  signs: { output: OutputName; text: string }[]
  /** The outputs that a moderator may start or stop. */
  controls: { output: OutputName; label: string; isOn: boolean; isBusy: boolean }[]
}

/**
 * The texts of each output, and the buttons that the page offers: none for a livestream, because the page has no form
 * for its targets.
 */
const outputTexts: Record<OutputName, { sign: TextKey; start?: TextKey; stop?: TextKey }> = {
  recording: { sign: 'sign.recording', start: 'output.recording.start', stop: 'output.recording.stop' },
  hls: { sign: 'sign.live' },
  livestream: { sign: 'sign.live' },
  transcription: {
    sign: 'sign.captions',
    start: 'output.transcription.start',
    stop: 'output.transcription.stop',
  },
}
const outputNames = Object.keys(outputTexts) as OutputName[]

export function headerOf({
  state,
  mediaPreparing,
  serverRestarts,
  self,
  outputs,
}: Pick<Meeting, 'state' | 'mediaPreparing' | 'serverRestarts' | 'self'> & {
  outputs: Pick<Meeting['outputs'], 'state'>
}): Header {
  const interruption = mediaPreparing ?? text(serverRestarts ? 'header.restarting' : 'header.reconnecting')
  return {
    interruption: state === 'reconnecting' ? interruption : undefined,
    canInvite: self.canAdmit,
    signs: outputNames
      .filter((output) => outputs.state(output) !== 'stopped')
      .map((output) => ({ output, text: text(outputTexts[output].sign) })),
    controls: self.canModerate ? controlsOf(outputs) : [],
  }
}

function controlsOf(outputs: Pick<Meeting['outputs'], 'state'>): Header['controls'] {
  return outputNames.flatMap((output) => {
    const { start, stop } = outputTexts[output]
    if (start === undefined || stop === undefined) return []
    const now = outputs.state(output)
    const isOn = now !== 'stopped'
    return [
      { output, label: text(isOn ? stop : start), isOn, isBusy: now === 'starting' || now === 'stopping' },
    ]
  })
}

/** What an output is started with. */
export function startOf(output: OutputName, { spoken }: Pick<ViewState, 'spoken'>): object {
  return output === 'transcription' && spoken !== '' ? { config: { language: spoken } } : {}
}

export function headerView(meeting: Meeting): View<Header> {
  return viewOf(
    () => headerOf(meeting),
    onEvents(meeting, 'stateChanged', 'mediaPreparing', 'selfChanged', 'outputChanged'),
  )
}
