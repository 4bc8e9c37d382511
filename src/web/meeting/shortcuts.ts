/** Single keys that do what the bar does. */
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
  /** Of the element that has the focus, in any case. */
  tagName: string
  dialogOpen: boolean
}

/** Undefined where the press belongs to the browser, to a field or to a dialog. */
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
