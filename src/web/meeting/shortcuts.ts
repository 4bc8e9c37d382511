/** Keys that do the same as buttons of the bar. */
import type { ButtonName } from './bar-model.ts'

export type Shortcut = ButtonName | 'closePanel'

const KEYS = new Map<string, Shortcut>([
  ['m', 'mic'],
  ['v', 'camera'],
  ['s', 'share'],
  ['h', 'hand'],
  ['p', 'people'],
  ['c', 'chat'],
  ['escape', 'closePanel'],
])

export interface Press extends Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'repeat'> {
  /** Tag name of the focused element, in upper or lower case. */
  tagName: string
  dialogOpen: boolean
}

/** Returns undefined if the key belongs to the browser, an input or a dialog. */
export function shortcutOf({
  key,
  ctrlKey,
  metaKey,
  altKey,
  repeat,
  tagName,
  dialogOpen,
}: Press): Shortcut | undefined {
  if (ctrlKey || metaKey || altKey || repeat || dialogOpen) return undefined
  if (/^(input|select|textarea)$/i.test(tagName)) return undefined
  return KEYS.get(key.toLowerCase())
}
