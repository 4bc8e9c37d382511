import { listed, text } from './texts/texts.ts'

/** Who is in the meeting, for somebody who is about to join. */
export function insideSentence({ count, names }: { count: number; names: readonly string[] }): string {
  if (count === 0) return text('inside.nobody')
  const shown = names.slice(0, 3)
  const others = count - shown.length
  const list = listed(others > 0 ? [...shown, text('inside.more', { count: others })] : shown)
  return text('inside.are', { count, list })
}
