/** Single keys that do what the bar does. */
import type { ButtonName } from './bar-model.ts'

export type Shortcut = ButtonName | 'layout' | 'shortcuts' | 'closePanel'

/** Every key, in the order in which the list of shortcuts shows them. */
export const shortcuts: readonly { key: string; name: Shortcut; does: string }[] = [
  { key: 'm', name: 'mic', does: 'Microphone on or off' },
  { key: 'v', name: 'camera', does: 'Camera on or off' },
  { key: 's', name: 'share', does: 'Share a screen, or stop sharing' },
  { key: 'h', name: 'hand', does: 'Raise or lower the hand' },
  { key: 'p', name: 'people', does: 'Participants' },
  { key: 'c', name: 'chat', does: 'Chat' },
  { key: 'l', name: 'layout', does: 'Next layout' },
  { key: '?', name: 'shortcuts', does: 'This list' },
  { key: 'Escape', name: 'closePanel', does: 'Close what is open' },
]
const byKey = new Map(shortcuts.map(({ key, name }) => [key.toLowerCase(), name]))

export interface Press extends Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'repeat'> {
  /** Of the element that has the focus, in any case. */
  tagName: string
  dialogOpen: boolean
}

/** Undefined where the press belongs to the browser, to a field or to a dialog. */
export function shortcutOf(press: Press): Shortcut | undefined {
  if (press.repeat || isTaken(press)) return undefined
  if (/^(input|select|textarea)$/i.test(press.tagName)) return undefined
  return byKey.get(press.key.toLowerCase())
}

/** Whether the press is of the key that is held to talk. On a button, a link or a field, Space belongs to that. */
export function holdsToTalk(press: Press): boolean {
  return (
    press.key === ' ' && !isTaken(press) && !/^(input|select|textarea|button|a|summary)$/i.test(press.tagName)
  )
}

function isTaken({ ctrlKey, metaKey, altKey, dialogOpen }: Press): boolean {
  return ctrlKey || metaKey || altKey || dialogOpen
}
