import { useEffect } from 'react'
import { shortcutOf, type Shortcut } from './shortcuts.ts'

/** @param commands the same object on every render, or the keys are listened to anew */
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
      // A letter must not land in the field that it opens.
      if (shortcut !== 'closePanel') event.preventDefault()
      commands[shortcut]()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [commands])
}
