/** What the buttons do. Each action acts on the state at the moment of the click, not on the state that was drawn last. */
import { DeviceError, type Devices, type Self } from '../../client/client.ts'
import { isWanted } from './bar-model.ts'
import type { ChatModel } from './chat-model.ts'
import { failureOf } from '../failure.ts'

export interface Actions {
  /** Runs an action; if it fails, shows the reason. */
  attempt: (act: () => Promise<void>) => void
  mic: () => void
  camera: () => void
  share: () => void
  hand: () => void
  react: (text: string) => void
}

/** The parts of a meeting that the actions use. */
export interface ActionTarget {
  readonly self: Pick<Self, 'id'>
  readonly devices: Pick<
    Devices,
    'status' | 'enableMic' | 'disableMic' | 'enableCamera' | 'disableCamera' | 'startShare' | 'stopShare'
  >
}

/** @param tell shows a problem, one sentence */
export function createActions(
  { self, devices }: ActionTarget,
  chat: Pick<ChatModel, 'state' | 'raiseHand' | 'react'>,
  tell: (problem: string) => void,
): Actions {
  const attempt: Actions['attempt'] = (act) => {
    act().catch((error: unknown) => {
      // Somebody who cancels the browser's dialog needs no message.
      if (error instanceof DeviceError && error.device === 'screen' && error.problem === 'denied') return
      tell(failureOf(error))
    })
  }
  return {
    attempt,
    mic: () => attempt(() => (isWanted(devices.status('mic')) ? devices.disableMic() : devices.enableMic())),
    camera: () =>
      attempt(() => (isWanted(devices.status('camera')) ? devices.disableCamera() : devices.enableCamera())),
    share: () => {
      const status = devices.status('share')
      // The browser's own dialog is open.
      if (status === 'turningOn') return
      attempt(() => (isWanted(status) ? devices.stopShare() : devices.startShare()))
    },
    hand: () => attempt(() => chat.raiseHand(!chat.state.hands.has(self.id))),
    react: (emoji) => attempt(() => chat.react(emoji)),
  }
}
