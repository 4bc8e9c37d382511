/** Finds the addresses in a text that somebody wrote. Only http and https become links; text never becomes markup. */
import { LinkifyIt } from 'linkify-it'

export interface Part {
  text: string
  href?: string
}

const linkifier = new LinkifyIt().set({ fuzzyLink: false, fuzzyEmail: false, urlAuth: true })
for (const scheme of ['ftp:', 'mailto:', '//']) linkifier.add(scheme, null)

/** Characters that hide a part of an address or show it in another order. */
const DECEIVING = /[\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/

export function withLinks(text: string): Part[] {
  const parts: Part[] = []
  let from = 0
  for (const { index, lastIndex, raw } of linkifier.match(text) ?? []) {
    if (!isPlain(raw)) continue
    if (index > from) parts.push({ text: text.slice(from, index) })
    parts.push({ text: raw, href: raw })
    from = lastIndex
  }
  if (from < text.length) parts.push({ text: text.slice(from) })
  return parts
}

/** Whether an address leads where it appears to lead: `https://bank.example@other.example` does not. */
function isPlain(address: string): boolean {
  const url = URL.parse(address)
  return url !== null && url.username === '' && url.password === '' && !DECEIVING.test(address)
}
