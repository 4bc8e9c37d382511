import {
  useEffect,
  useRef,
  useState,
  type ButtonHTMLAttributes,
  type KeyboardEvent,
  type ReactNode,
} from 'react'

/**
 * A button that opens a box beside it, and moves the focus there. Escape and `close` move it back to the button; a
 * click elsewhere, or the focus moving elsewhere, closes it too. In a menu, arrow keys move between the items.
 */
export function Popover({
  className,
  button,
  role,
  label,
  boxClass = '',
  children,
}: {
  className: string
  button: ButtonHTMLAttributes<HTMLButtonElement> & { 'data-testid'?: string }
  role: 'menu' | 'group'
  label: string
  boxClass?: string
  children: (close: () => void) => ReactNode
}) {
  const [isOpen, setOpen] = useState(false)
  const holder = useRef<HTMLDivElement>(null)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!isOpen) return
    const first =
      box.current?.querySelector<HTMLElement>('input:checked') ?? box.current?.querySelector('button')
    moveInside(box.current!)
    first?.focus()
    const onPointerDown = ({ target }: Event): void => {
      if (!holder.current?.contains(target as Node)) setOpen(false)
    }
    document.addEventListener('pointerdown', onPointerDown)
    return () => document.removeEventListener('pointerdown', onPointerDown)
  }, [isOpen])
  const close = (): void => {
    holder.current?.querySelector('button')?.focus()
    setOpen(false)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOpen) return
    const steps: Record<string, number> = role === 'menu' ? { ArrowDown: 1, ArrowUp: -1 } : {}
    const step = steps[event.key]
    if (event.key === 'Escape') close()
    else if (step !== undefined) moveFocus(box.current!, step)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div
      className={className}
      ref={holder}
      onKeyDown={onKeyDown}
      // Safari gives the focus to nothing when a button is clicked.
      onBlur={({ currentTarget, relatedTarget }) =>
        relatedTarget && !currentTarget.contains(relatedTarget) && setOpen(false)
      }
    >
      <button
        {...button}
        aria-haspopup={role === 'menu' ? 'menu' : undefined}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen && (
        <div className={`menu ${boxClass}`} role={role} aria-label={label} ref={box}>
          {children(close)}
        </div>
      )}
    </div>
  )
}

const MARGIN_PX = 8

/** Moves a box that would be cut off by an edge of the page. */
function moveInside(box: HTMLElement): void {
  const { left, right, top, bottom } = box.getBoundingClientRect()
  const along = (from: number, to: number, size: number): number =>
    Math.max(MARGIN_PX - from, Math.min(0, size - MARGIN_PX - to))
  box.style.transform = `translate(${along(left, right, innerWidth)}px, ${along(top, bottom, innerHeight)}px)`
}

/** Moves the focus to another button of the box; after the last comes the first. */
function moveFocus(box: HTMLElement, step: number): void {
  const buttons = [...box.querySelectorAll('button')]
  const next = buttons.indexOf(document.activeElement as HTMLButtonElement) + step
  buttons.at(next % buttons.length)?.focus()
}
