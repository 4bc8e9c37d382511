import { useEffect } from 'react'
import type { PushToTalk } from './push-to-talk.ts'
import { holdsToTalk, shortcutOf, type Press, type Shortcut } from './shortcuts.ts'

/** @param commands and `talk` the same objects on every render, or the keys are listened to anew */
export function useShortcuts(commands: Record<Shortcut, () => void>, talk: PushToTalk): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const press = pressOf(event)
      if ((event.key === ' ' && talk.isHeld) || holdsToTalk(press)) {
        // Space would scroll, or press the button of a dialog that opens meanwhile.
        event.preventDefault()
        if (!press.repeat) talk.press()
        return
      }
      const shortcut = shortcutOf(press)
      if (shortcut === undefined) return
      // A letter must not land in the field that it opens.
      if (shortcut !== 'closePanel') event.preventDefault()
      commands[shortcut]()
    }
    const onKeyUp = (event: KeyboardEvent): void => {
      if (event.key !== ' ' || !talk.isHeld) return
      event.preventDefault()
      talk.release()
    }
    const onBlur = (): void => talk.release()
    window.addEventListener('keydown', onKeyDown)
    window.addEventListener('keyup', onKeyUp)
    window.addEventListener('blur', onBlur)
    return () => {
      window.removeEventListener('keydown', onKeyDown)
      window.removeEventListener('keyup', onKeyUp)
      window.removeEventListener('blur', onBlur)
    }
  }, [commands, talk])
}

function pressOf({ key, ctrlKey, metaKey, altKey, repeat, target }: KeyboardEvent): Press {
  return {
    key,
    ctrlKey,
    metaKey,
    altKey,
    repeat,
    tagName: (target as Partial<HTMLElement>).tagName ?? '',
    dialogOpen: document.querySelector('dialog[open]') !== null,
  }
}
