/** A place in the dashboard: the path below `/dashboard`, and the filters in the query. */

export interface Place {
  /** Segments of the path below `/dashboard`, decoded: `['sessions', '66f…']`. */
  path: readonly string[]
  query: Readonly<Record<string, string>>
}

/** @param search with or without its `?` */
export function parsePlace(pathname: string, search: string): Place {
  const behind = /\/dashboard(\/.*)?$/.exec(pathname)?.[1] ?? ''
  return {
    path: behind
      .split('/')
      .filter((part) => part !== '')
      .map(decodeSafely),
    query: Object.fromEntries(new URLSearchParams(search)),
  }
}

/** The address of a place, without empty filters and without `page=1`. */
export function formatPlace(base: string, { path, query }: Place): string {
  const fields = Object.entries(query).filter(
    ([name, value]) => value !== '' && !(name === 'page' && value === '1'),
  )
  const text = new URLSearchParams(fields).toString()
  return `${base}/dashboard${path.map((part) => `/${encodeURIComponent(part)}`).join('')}${text && `?${text}`}`
}

/** The page number in a query, at least 1. */
export function pageOf(query: Place['query']): number {
  const page = Number(query.page ?? 1)
  return Number.isInteger(page) && page >= 1 ? page : 1
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
