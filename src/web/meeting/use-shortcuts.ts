import { useEffect } from 'react'
import { shortcutOf, type Shortcut } from './shortcuts.ts'

/** @param commands must be the same object on every render; otherwise the listener is replaced each time */
export function useShortcuts(commands: Record<Shortcut, () => void>): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const shortcut = shortcutOf({
        key: event.key,
        ctrlKey: event.ctrlKey,
        metaKey: event.metaKey,
        altKey: event.altKey,
        repeat: event.repeat,
        tagName: (event.target as HTMLElement).tagName,
        dialogOpen: document.querySelector('dialog[open]') !== null,
      })
      if (shortcut === undefined) return
      // The letter must not be typed into the input that it opens.
      if (shortcut !== 'closePanel') event.preventDefault()
      commands[shortcut]()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [commands])
}
