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
