/**
 * Replaces `react/jsx-runtime` in a page that counts redraws. A component creates its elements each time it is drawn,
 * so the count of an element is the count of its component.
 */
import { Fragment, jsx as realJsx, jsxs as realJsxs } from 'react/jsx-runtime'

/** Counts by `data-testid` or tag, with the participant if there is one. */
export const drawn = new Map<string, number>()

const PARTS = new Set(['header', 'main', 'nav', 'aside', 'audio'])

function count(type: unknown, props: Record<string, unknown>): void {
  if (typeof type !== 'string') return
  const name = props['data-testid'] ?? (PARTS.has(type) ? type : undefined)
  if (name === undefined) return
  const key = [name, props['data-participant']].filter(Boolean).join(' ')
  drawn.set(key, (drawn.get(key) ?? 0) + 1)
}

export const jsx: typeof realJsx = (type, props, key) => {
  count(type, props as Record<string, unknown>)
  return realJsx(type, props, key)
}
export const jsxs: typeof realJsxs = (type, props, key) => {
  count(type, props as Record<string, unknown>)
  return realJsxs(type, props, key)
}
export { Fragment }
