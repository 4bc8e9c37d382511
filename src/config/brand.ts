/** Parsers for the settings of the operator's brand. Each returns the value, or throws what the text must be. */

export interface BrandLink {
  label: string
  url: string
}

const MAX_NAME_LENGTH = 60
const MAX_LABEL_LENGTH = 40
const MAX_LINKS = 8
const isLine = (text: string, longest: number): boolean =>
  text !== '' && text.length <= longest && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text)

export const brandName = (text: string): string => {
  if (!isLine(text, MAX_NAME_LENGTH)) throw new Error(`must be 1 to ${MAX_NAME_LENGTH} visible characters`)
  return text
}

export const brandColour = (text: string): string => {
  if (!/^#[0-9a-f]{6}$/i.test(text)) throw new Error('must be a colour such as #0e6e64')
  return text.toLowerCase()
}

/** `Label=address`, separated by commas. The address is one of the web, of mail, or a path on this server. */
export const brandLinks = (text: string): readonly BrandLink[] => {
  const links = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=')
      return { label: part.slice(0, Math.max(0, at)).trim(), url: part.slice(at + 1).trim() }
    })
  if (
    links.length > MAX_LINKS ||
    !links.every(({ label, url }) => isLine(label, MAX_LABEL_LENGTH) && isAddress(url))
  )
    throw new Error(
      `must be at most ${MAX_LINKS} of label=address, separated by commas, with https:, http: or mailto: addresses or paths such as /imprint`,
    )
  return links
}

function isAddress(url: string): boolean {
  if (/[\s<>"]/.test(url) || url.length > 2048) return false
  if (url.startsWith('/')) return !/^\/[/\\]/.test(url) && URL.canParse(url, 'https://anteroom.invalid')
  return /^(https?:\/\/|mailto:.)/i.test(url) && URL.canParse(url)
}
