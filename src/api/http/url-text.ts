/** How the text in an address is read. Node lets no bare byte beyond ASCII pass. */

/** Whether every percent escape of a text stands for a character in UTF-8. */
export function hasWholeEscapes(text: string): boolean {
  if (!text.includes('%')) return true
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
