/** What the header and the bar of a meeting say. */
import type { DeviceStatus, Meeting, OutputName } from '../../client/client.ts'
import type { IconName } from '../parts/icon.tsx'
import type { ChatModel } from './chat-model.ts'
import { onEvents, viewOf, type View } from './view.ts'

export type PanelName = 'people' | 'chat'
export type ButtonName = 'mic' | 'camera' | 'share' | 'people' | 'chat' | 'hand'

export interface BarButtonContent {
  name: ButtonName
  icon: IconName
  label: string
  /** The key that does the same. */
  hint: string
  /** A device that is off. */
  isOff: boolean
  isActive: boolean
  /** The device is on its way; a press is still taken. */
  isBusy: boolean
  /** Shown on it when it is not 0. */
  count: number
}

export interface BarFacts {
  mic: DeviceStatus
  camera: DeviceStatus
  share: DeviceStatus
  /** Entry requests that we may answer. */
  waiting: number
  unread: number
  handUp: boolean
}

/** On, or about to be: what is wanted counts, so that the second of two quick presses undoes the first. */
export function isWanted(status: DeviceStatus): boolean {
  return status === 'on' || status === 'turningOn'
}

export function barOf(facts: BarFacts, panel: PanelName | undefined): BarButtonContent[] {
  const { mic, camera, share, waiting, unread, handUp } = facts
  const plain = { isOff: false, isActive: false, isBusy: false, count: 0 }
  return [
    {
      ...plain,
      name: 'mic',
      icon: isWanted(mic) ? 'mic' : 'micOff',
      label: isWanted(mic) ? 'Mute' : 'Unmute',
      hint: 'm',
      isOff: !isWanted(mic),
      isBusy: isOnItsWay(mic),
    },
    {
      ...plain,
      name: 'camera',
      icon: isWanted(camera) ? 'camera' : 'cameraOff',
      label: isWanted(camera) ? 'Stop camera' : 'Start camera',
      hint: 'v',
      isOff: !isWanted(camera),
      isBusy: isOnItsWay(camera),
    },
    {
      ...plain,
      name: 'share',
      icon: 'share',
      label: share === 'on' ? 'Stop sharing' : 'Share screen',
      hint: 's',
      isActive: share === 'on',
      isBusy: isOnItsWay(share),
    },
    {
      ...plain,
      name: 'people',
      icon: 'people',
      label: 'Participants',
      hint: 'p',
      isActive: panel === 'people',
      count: waiting,
    },
    {
      ...plain,
      name: 'chat',
      icon: 'chat',
      label: unread > 0 ? `Chat, ${unread} unread` : 'Chat',
      hint: 'c',
      isActive: panel === 'chat',
      count: unread,
    },
    {
      ...plain,
      name: 'hand',
      icon: 'hand',
      label: handUp ? 'Lower hand' : 'Raise hand',
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
      handUp: chat.state.hands.has(self.id),
    }),
    onEvents(meeting, 'stateChanged', 'devicesChanged', 'entryRequested', 'entrySettled'),
    chat.subscribe,
  )
}

export interface Header {
  /** Why the meeting stands still, in a sentence; undefined while it does not. */
  interruption: string | undefined
  canInvite: boolean
  /** What leaves the meeting, as signs for everybody. */
  signs: { output: OutputName; text: string }[]
  /** What a moderator may start or stop. */
  controls: { output: OutputName; label: string; isOn: boolean; isBusy: boolean }[]
}

/** What is said of each output, and what the page offers of it: a livestream needs targets, which the page has no place for. */
const outputTexts: Record<OutputName, { sign: string; start?: string; stop?: string }> = {
  recording: { sign: 'Recording', start: 'Record', stop: 'Stop recording' },
  hls: { sign: 'Live' },
  livestream: { sign: 'Live' },
  transcription: { sign: 'Captions on', start: 'Captions', stop: 'Stop captions' },
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
  const interruption = mediaPreparing ?? (serverRestarts ? 'The server is restarting…' : 'Reconnecting…')
  return {
    interruption: state === 'reconnecting' ? interruption : undefined,
    canInvite: self.canAdmit,
    signs: outputNames
      .filter((output) => outputs.state(output) !== 'stopped')
      .map((output) => ({ output, text: outputTexts[output].sign })),
    controls: self.canModerate ? controlsOf(outputs) : [],
  }
}

function controlsOf(outputs: Pick<Meeting['outputs'], 'state'>): Header['controls'] {
  return outputNames.flatMap((output) => {
    const { start, stop } = outputTexts[output]
    if (start === undefined || stop === undefined) return []
    const now = outputs.state(output)
    const isOn = now !== 'stopped'
    return [{ output, label: isOn ? stop : start, isOn, isBusy: now === 'starting' || now === 'stopping' }]
  })
}

export function headerView(meeting: Meeting): View<Header> {
  return viewOf(
    () => headerOf(meeting),
    onEvents(meeting, 'stateChanged', 'mediaPreparing', 'selfChanged', 'outputChanged'),
  )
}
