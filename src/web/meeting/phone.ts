/** What a phone needs during a meeting: the screen stays on, and the buttons of a headset or the lock screen work. */
import type { Meeting } from '../../client/client.ts'
import type { Actions } from './actions.ts'
import { isWanted } from './bar-model.ts'

/** Returns a function that lets the screen go off again. */
export function keepAwake(): () => void {
  const lock = 'navigator' in globalThis && 'wakeLock' in navigator ? navigator.wakeLock : undefined
  if (!lock) return () => undefined
  let held: WakeLockSentinel | undefined
  let isOver = false
  const hold = (): void => {
    if (document.hidden || isOver) return
    lock.request('screen').then(
      (sentinel) => {
        if (isOver) void sentinel.release()
        else held = sentinel
      },
      // A battery that is nearly empty, or an embedding page, forbids it.
      () => undefined,
    )
  }
  hold()
  // The browser takes the lock away from a hidden page.
  document.addEventListener('visibilitychange', hold)
  return () => {
    isOver = true
    document.removeEventListener('visibilitychange', hold)
    void held?.release()
  }
}

/** Buttons outside of the page. Returns a function that stops it. */
export function listenToOutsideButtons(
  meeting: Meeting,
  { mic, camera }: Pick<Actions, 'mic' | 'camera'>,
): () => void {
  const session =
    'navigator' in globalThis && 'mediaSession' in navigator ? navigator.mediaSession : undefined
  if (!session) return () => undefined
  const set = (action: string, act: (() => void) | null): void => {
    try {
      session.setActionHandler(action as MediaSessionAction, act)
    } catch {
      // This browser has no such button.
    }
  }
  const show = (): void => {
    const state = session as { setMicrophoneActive?: unknown; setCameraActive?: unknown }
    if (typeof state.setMicrophoneActive === 'function')
      void session.setMicrophoneActive(isWanted(meeting.devices.status('mic')))
    if (typeof state.setCameraActive === 'function')
      void session.setCameraActive(isWanted(meeting.devices.status('camera')))
  }
  set('togglemicrophone', mic)
  set('togglecamera', camera)
  set('hangup', () => void meeting.leave())
  show()
  const stop = meeting.on('devicesChanged', show)
  return () => {
    stop()
    for (const action of ['togglemicrophone', 'togglecamera', 'hangup']) set(action, null)
  }
}
