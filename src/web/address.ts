/** Reads the page's address: the meeting, and the secret in the fragment, which is removed from the address at once. */

export interface Address {
  meetingId?: string
  invite?: string
  token?: string
  signIn?: string
  /** Of end-to-end encryption. It stays in the address, so that copies of it work. */
  key?: string
}

/** @param hash with its `#` */
export function parseAddress(pathname: string, hash: string): Address {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  const id = /^.*\/m\/([^/]+)\/?$/.exec(pathname)?.[1]
  const address: Address = {}
  if (id !== undefined) address.meetingId = decodeSafely(id)
  const [invite, token, signIn] = [fields.get('invite'), fields.get('token'), fields.get('sign-in')]
  const key = fields.get('key')
  if (invite) address.invite = invite
  if (token) address.token = token
  if (signIn) address.signIn = signIn
  if (key) address.key = key
  return address
}

/** The path and fragment of a meeting's own address. @param prefix the path in front of the pages */
export function pathOf(prefix: string, { meetingId, key }: { meetingId: string; key?: string }): string {
  return `${prefix.replace(/\/$/, '')}/m/${encodeURIComponent(meetingId)}${key === undefined ? '' : `#${keyField(key)}`}`
}

/** An invite link that brings the key along. */
export function withKey(link: string, key: string | undefined): string {
  return key === undefined ? link : `${link}${link.includes('#') ? '&' : '#'}${keyField(key)}`
}

const keyField = (key: string): string => `key=${encodeURIComponent(key)}`

/** A key for a meeting: 128 random bits. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Reads what somebody typed or pasted to join: a link or an id. */
export function parseJoinText(text: string): Address | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  if (URL.canParse(trimmed) && /^https?:/.test(trimmed)) {
    const url = new URL(trimmed)
    const address = parseAddress(url.pathname, url.hash)
    return address.meetingId === undefined ? undefined : address
  }
  return /^\S{1,128}$/.test(trimmed) ? { meetingId: trimmed } : undefined
}
