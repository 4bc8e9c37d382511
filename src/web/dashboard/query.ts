/** Loads what a screen shows, and runs what was clicked. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { ServerClientError } from '../api.ts'

export interface Query<T> {
  /** The last answer, kept while the query runs again. */
  value?: T
  problem?: { message: string }
  loading: boolean
  reload: () => void
}

/**
 * Runs a query when the screen opens and whenever `key` changes.
 * @param key names everything that `ask` depends on
 * @param everyMs runs it again this long after each answer, while the window is visible
 */
export function useQuery<T>(ask: () => Promise<T>, key: string, everyMs?: number): Query<T> {
  const [state, setState] = useState<{ value?: T; problem?: { message: string }; loading: boolean }>({
    loading: true,
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
        if (!over) setState({ value, loading: false })
      } catch (error) {
        const problem = { message: sentenceOf(error) }
        if (!over) setState((before) => ({ ...before, problem, loading: false }))
      }
      if (everyMs !== undefined && !over) {
        clearTimeout(timer)
        timer = setTimeout(() => !document.hidden && void look(), everyMs)
      }
    }
    const seen = (): void => {
      if (everyMs !== undefined && !document.hidden) void look()
    }
    setState((before) => ({ ...before, loading: true }))
    void look()
    document.addEventListener('visibilitychange', seen)
    return () => {
      over = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [key, round, everyMs])

  return { ...state, reload: useCallback(() => setRound((before) => before + 1), []) }
}

export interface Action {
  busy: boolean
  /** Why the last action failed, in one sentence. */
  problem: string
  /** Resolves with whether it succeeded. Runs one action at a time. */
  run: (work: () => Promise<unknown>) => Promise<boolean>
}

export function useAction(): Action {
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
