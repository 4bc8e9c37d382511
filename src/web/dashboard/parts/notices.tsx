import { createContext, use, useCallback, useRef, useState, type ReactNode } from 'react'

const SHOWN_MS = 4000

const NoticeContext = createContext<(text: string) => void>(() => undefined)

/** Short confirmations at the foot of the window, announced by screen readers. */
export function Notices({ children }: { children: ReactNode }) {
  const [text, setText] = useState('')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const say = useCallback((next: string) => {
    clearTimeout(timer.current)
    setText(next)
    timer.current = setTimeout(() => setText(''), SHOWN_MS)
  }, [])
  return (
    <NoticeContext value={say}>
      {children}
      <div className="confirmation" role="status">
        {text !== '' && <span>{text}</span>}
      </div>
    </NoticeContext>
  )
}

export function useNotice(): (text: string) => void {
  return use(NoticeContext)
}
