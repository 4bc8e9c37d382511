/** What a press does. Each goes by what is wanted at that moment, not by what was drawn last. */
import { DeviceError, type Devices, type Self } from '../../client/client.ts'
import { isWanted } from './bar-model.ts'
import type { ChatModel } from './chat-model.ts'

export interface Actions {
  /** Does something that may fail, and says why it did. */
  attempt: (act: () => Promise<void>) => void
  mic: () => void
  camera: () => void
  share: () => void
  hand: () => void
  react: (text: string) => void
}

/** What the actions need of a meeting. */
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
      // Whoever declines to share a screen knows that it is not shared.
      if (error instanceof DeviceError && error.device === 'screen' && error.problem === 'denied') return
      tell(error instanceof Error ? error.message : 'That did not work.')
    })
  }
  return {
    attempt,
    mic: () => attempt(() => (isWanted(devices.status('mic')) ? devices.disableMic() : devices.enableMic())),
    camera: () =>
      attempt(() => (isWanted(devices.status('camera')) ? devices.disableCamera() : devices.enableCamera())),
    share: () => {
      const status = devices.status('share')
      // The browser is asking what to share, and the answer is given there.
      if (status === 'turningOn') return
      attempt(() => (isWanted(status) ? devices.stopShare() : devices.startShare()))
    },
    hand: () => attempt(() => chat.raiseHand(!chat.state.hands.has(self.id))),
    react: (text) => attempt(() => chat.react(text)),
  }
}
