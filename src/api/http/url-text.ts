/** Reads text in URLs. Node rejects bare bytes beyond ASCII. */

/** Whether all percent escapes of a text are valid UTF-8. */
export function hasWholeEscapes(text: string): boolean {
  if (!text.includes('%')) return true
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Whether a text has an escaped U+0000. No id contains it, and it cannot be looked up in every store. */
export function hasNull(text: string): boolean {
  return text.includes('%00')
}
