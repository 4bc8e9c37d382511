/** What a message consists of: code, addresses, names of people, and plain text. Text never becomes markup. */
import { withLinks } from '../links.ts'

export type SaidPart =
  { kind: 'text' | 'code' | 'block' | 'mention'; text: string } | { kind: 'link'; text: string; href: string }

/** A block between lines of three backticks, whose first line may name a language; or code between single ones. */
const CODE = /```(?:[\w+#.-]*\r?\n)?([^]*?)```|`([^`\r\n]+)`/g
const IN_A_WORD = /[\p{L}\p{N}_]/u

/** The parts of a text, in order. `names` are the names that `@` can mention. */
export function partsOf(text: string, names: readonly string[]): SaidPart[] {
  const parts: SaidPart[] = []
  let from = 0
  for (const found of text.matchAll(CODE)) {
    const block = found[1]?.replace(/\r?\n$/, '')
    const code = block ?? found[2]!
    if (code.trim() === '') continue
    parts.push(...plainParts(text.slice(from, found.index), names))
    parts.push({ kind: block === undefined ? 'code' : 'block', text: code })
    from = found.index + found[0].length
  }
  return [...parts, ...plainParts(text.slice(from), names)]
}

/** Whether a text mentions this name outside of code and addresses. */
export function mentions(text: string, name: string, names: readonly string[] = []): boolean {
  const mention = `@${name}`.toLowerCase()
  // A longer name that starts alike is somebody else: "@Ann Baker" does not mention "Ann".
  return partsOf(text, [name, ...names]).some(
    (part) => part.kind === 'mention' && part.text.toLowerCase() === mention,
  )
}

/** The names that complete the mention at the end of a text, if one is being written. */
export function completions(text: string, names: readonly string[]): string[] {
  const at = text.lastIndexOf('@')
  if (at === -1 || IN_A_WORD.test(text[at - 1] ?? '')) return []
  const begun = text.slice(at + 1).toLowerCase()
  return [...new Set(names)].filter((name) => {
    const whole = name.toLowerCase()
    return whole !== '' && whole !== begun && whole.startsWith(begun)
  })
}

/** The text with the mention at its end completed. */
export function completed(text: string, name: string): string {
  return `${text.slice(0, text.lastIndexOf('@'))}@${name} `
}

function plainParts(text: string, names: readonly string[]): SaidPart[] {
  return withLinks(text).flatMap((part): SaidPart[] =>
    part.href === undefined
      ? mentionParts(part.text, names)
      : [{ kind: 'link', text: part.text, href: part.href }],
  )
}

function mentionParts(text: string, names: readonly string[]): SaidPart[] {
  const longestFirst = names.filter((name) => name !== '').sort((a, b) => b.length - a.length)
  const parts: SaidPart[] = []
  let from = 0
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    if (at < from || IN_A_WORD.test(text[at - 1] ?? '')) continue
    const name = longestFirst.find((one) => {
      const end = at + 1 + one.length
      return text.slice(at + 1, end).toLowerCase() === one.toLowerCase() && !IN_A_WORD.test(text[end] ?? '')
    })
    if (name === undefined) continue
    if (at > from) parts.push({ kind: 'text', text: text.slice(from, at) })
    from = at + 1 + name.length
    parts.push({ kind: 'mention', text: text.slice(at, from) })
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) })
  return parts
}
