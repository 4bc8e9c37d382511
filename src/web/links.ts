/** The addresses in what somebody wrote. Only http and https become links; text never becomes markup. */
export interface Part {
  text: string
  href?: string
}

const ADDRESS = /https?:\/\/[^\s<>"']+/gi
/** What ends a sentence rather than an address. */
const TRAILING = /[.,;:!?)\]}]+$/

export function withLinks(text: string): Part[] {
  const parts: Part[] = []
  let from = 0
  for (const found of text.matchAll(ADDRESS)) {
    const address = found[0].replace(TRAILING, '')
    if (!URL.canParse(address)) continue
    if (found.index > from) parts.push({ text: text.slice(from, found.index) })
    parts.push({ text: address, href: address })
    from = found.index + address.length
  }
  if (from < text.length) parts.push({ text: text.slice(from) })
  return parts
}
