import { useEffect, useState, type RefObject } from 'react'
import { Icon } from './icon.tsx'
import { text } from '../texts/texts.ts'

/** Shows an element on the full screen, and goes back. Absent if the browser does not support it, as on iPhones. */
export function FullScreenButton({ of }: { of: RefObject<HTMLElement | null> }) {
  const [isFull, setFull] = useState(false)
  useEffect(() => {
    const update = (): void => setFull(document.fullscreenElement === of.current && of.current !== null)
    document.addEventListener('fullscreenchange', update)
    return () => document.removeEventListener('fullscreenchange', update)
  }, [of])
  if (!document.fullscreenEnabled) return null
  const label = text(isFull ? 'fullScreen.leave' : 'fullScreen')
  return (
    <button
      className="round small full-screen"
      aria-label={label}
      title={label}
      onClick={() => {
        // The browser refuses it without a person's click; then nothing changes.
        const done = isFull ? document.exitFullscreen() : of.current?.requestFullscreen()
        done?.catch(() => undefined)
      }}
    >
      <Icon name={isFull ? 'smaller' : 'larger'} />
    </button>
  )
}
