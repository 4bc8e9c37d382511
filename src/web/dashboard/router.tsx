/** Navigates without reloading, with the History API. */
import {
  createContext,
  use,
  useCallback,
  useEffect,
  useMemo,
  useState,
  type MouseEvent,
  type ReactNode,
} from 'react'
import { serverUrl } from '../api.ts'
import { formatPlace, parsePlace, type Place } from './place.ts'

const base = new URL(serverUrl).pathname.replace(/\/$/, '')

interface Router {
  place: Place
  /** Keeps the project and replaces all other filters. */
  addressOf: (path: readonly string[], query?: Place['query']) => string
  go: (path: readonly string[], query?: Place['query']) => void
  /** Changes filters of this place; `replace` adds no entry to the history. */
  filter: (changes: Place['query'], options?: { replace?: boolean }) => void
}

const RouterContext = createContext<Router | undefined>(undefined)

export function RouterProvider({ children }: { children: ReactNode }) {
  const [place, setPlace] = useState(() => parsePlace(location.pathname, location.search))

  useEffect(() => {
    const follow = (): void => setPlace(parsePlace(location.pathname, location.search))
    window.addEventListener('popstate', follow)
    return () => window.removeEventListener('popstate', follow)
  }, [])

  const move = useCallback((to: Place, replace = false): void => {
    const address = formatPlace(base, to)
    if (replace) history.replaceState(null, '', address)
    else history.pushState(null, '', address)
    setPlace(to)
  }, [])

  const router = useMemo<Router>(() => {
    const { project } = place.query
    const to = (path: readonly string[], query: Place['query'] = {}): Place => ({
      path,
      query: { ...(project !== undefined && { project }), ...query },
    })
    return {
      place,
      addressOf: (path, query) => formatPlace(base, to(path, query)),
      go: (path, query) => {
        move(to(path, query))
        window.scrollTo(0, 0)
        // Screen readers announce the new place.
        document.getElementById('content')?.focus({ preventScroll: true })
      },
      filter: (changes, { replace = false } = {}) =>
        move({ path: place.path, query: { ...place.query, ...changes } }, replace),
    }
  }, [place, move])

  return <RouterContext value={router}>{children}</RouterContext>
}

export function useRouter(): Router {
  return use(RouterContext)!
}

/** A link to a place of the dashboard. */
export function Link({
  path,
  query,
  children,
  className,
  current,
}: {
  path: readonly string[]
  query?: Place['query']
  children: ReactNode
  className?: string
  current?: boolean
}) {
  const { addressOf, go } = useRouter()
  const follow = (event: MouseEvent): void => {
    // Leaves to the browser what it does itself: new tabs and downloads.
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(path, query)
  }
  return (
    <a
      href={addressOf(path, query)}
      onClick={follow}
      className={className}
      aria-current={current ? 'page' : undefined}
    >
      {children}
    </a>
  )
}
