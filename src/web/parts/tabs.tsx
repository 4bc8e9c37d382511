import { useRef, useState, type KeyboardEvent, type ReactNode } from 'react'

export interface Tab {
  name: string
  title: string
  content: () => ReactNode
}

const steps: Record<string, (at: number, count: number) => number> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at + count - 1) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
}

/** Tabs as screen readers know them: arrow keys move between them, Tab goes into the content. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  const [chosen, setChosen] = useState(tabs[0]!.name)
  const list = useRef<HTMLDivElement>(null)
  const at = Math.max(
    0,
    tabs.findIndex(({ name }) => name === chosen),
  )
  const onKeyDown = (event: KeyboardEvent): void => {
    const mirrored = getComputedStyle(list.current!).direction === 'rtl'
    const swapped: Record<string, string> = { ArrowRight: 'ArrowLeft', ArrowLeft: 'ArrowRight' }
    const next = steps[(mirrored && swapped[event.key]) || event.key]?.(at, tabs.length)
    if (next === undefined) return
    event.preventDefault()
    setChosen(tabs[next]!.name)
    list.current!.querySelectorAll('button')[next]!.focus()
  }
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {tabs.map(({ name, title }, nth) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={nth === at}
            aria-controls="tab-content"
            tabIndex={nth === at ? 0 : -1}
            onClick={() => setChosen(name)}
          >
            {title}
          </button>
        ))}
      </div>
      <div className="tab-content" id="tab-content" role="tabpanel" aria-labelledby={`tab-${tabs[at]!.name}`}>
        {tabs[at]!.content()}
      </div>
    </>
  )
}
