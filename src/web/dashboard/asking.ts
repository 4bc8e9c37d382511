/** Asking the server for what a screen shows, and doing what was clicked. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { ServerClientError } from '../api.ts'

export interface Asked<T> {
  /** What was answered last; kept while it is asked again. */
  value?: T
  problem?: { message: string }
  asking: boolean
  again: () => void
}

/**
 * Asks when the screen opens and whenever `key` changes.
 * @param key names all that `ask` depends on
 * @param everyMs asks again that long after each answer, as long as the window is visible
 */
export function useAsked<T>(ask: () => Promise<T>, key: string, everyMs?: number): Asked<T> {
  const [state, setState] = useState<{ value?: T; problem?: { message: string }; asking: boolean }>({
    asking: true,
  })
  const [round, setRound] = useState(0)
  const latest = useRef(ask)
  latest.current = ask

  useEffect(() => {
    let over = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = async (): Promise<void> => {
      clearTimeout(timer)
      try {
        const value = await latest.current()
        if (!over) setState({ value, asking: false })
      } catch (error) {
        const problem = { message: sentenceOf(error) }
        if (!over) setState((before) => ({ ...before, problem, asking: false }))
      }
      if (everyMs !== undefined && !over) {
        clearTimeout(timer)
        timer = setTimeout(() => !document.hidden && void look(), everyMs)
      }
    }
    const seen = (): void => {
      if (everyMs !== undefined && !document.hidden) void look()
    }
    setState((before) => ({ ...before, asking: true }))
    void look()
    document.addEventListener('visibilitychange', seen)
    return () => {
      over = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [key, round, everyMs])

  return { ...state, again: useCallback(() => setRound((before) => before + 1), []) }
}

export interface Doing {
  busy: boolean
  /** Why the last one did not work, in one sentence. */
  problem: string
  /** Resolves with whether it worked. One at a time. */
  run: (work: () => Promise<unknown>) => Promise<boolean>
}

export function useDoing(): Doing {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const under = useRef(false)
  const run = useCallback(async (work: () => Promise<unknown>): Promise<boolean> => {
    if (under.current) return false
    under.current = true
    setBusy(true)
    setProblem('')
    try {
      await work()
      return true
    } catch (error) {
      setProblem(sentenceOf(error))
      return false
    } finally {
      under.current = false
      setBusy(false)
    }
  }, [])
  return { busy, problem, run }
}

function sentenceOf(error: unknown): string {
  return error instanceof ServerClientError ? error.message : 'That did not work.'
}
