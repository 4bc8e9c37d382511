/** Who is in the meeting, for somebody who is about to join. */
export function insideSentence({ count, names }: { count: number; names: readonly string[] }): string {
  if (count === 0) return 'Nobody is inside yet.'
  const shown = names.slice(0, 3)
  const others = count - shown.length
  const parts = others > 0 ? [...shown, `${others} more`] : shown
  const list = parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)!}`
  return `${list} ${count === 1 ? 'is' : 'are'} inside.`
}
