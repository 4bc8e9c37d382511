/** Single keys that do what the bar does. */
import type { ButtonName } from './bar-model.ts'
import type { TextKey } from '../texts/languages.ts'

export type Shortcut = ButtonName | 'layout' | 'settings' | 'shortcuts' | 'closePanel'

/** Every key, in the order in which the list of shortcuts shows them. */
export const shortcuts: readonly { key: string; name: Shortcut; does: TextKey }[] = [
  { key: 'm', name: 'mic', does: 'shortcuts.mic' },
  { key: 'v', name: 'camera', does: 'shortcuts.camera' },
  { key: 's', name: 'share', does: 'shortcuts.share' },
  { key: 'h', name: 'hand', does: 'shortcuts.hand' },
  { key: 'p', name: 'people', does: 'participants' },
  { key: 'c', name: 'chat', does: 'chat' },
  { key: 'a', name: 'activities', does: 'activities' },
  { key: 'l', name: 'layout', does: 'shortcuts.layout' },
  { key: ',', name: 'settings', does: 'settings.title' },
  { key: '?', name: 'shortcuts', does: 'shortcuts.list' },
  { key: 'Escape', name: 'closePanel', does: 'shortcuts.close' },
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
