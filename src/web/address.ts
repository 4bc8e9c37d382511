/** Reads the page's address: the meeting, and the secret in the fragment, which is removed from the address at once. */

export interface Address {
  meetingId?: string
  invite?: string
  token?: string
  signIn?: string
}

/** @param hash with its `#` */
export function parseAddress(pathname: string, hash: string): Address {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  const id = /^.*\/m\/([^/]+)\/?$/.exec(pathname)?.[1]
  const address: Address = {}
  if (id !== undefined) address.meetingId = decodeSafely(id)
  const [invite, token, signIn] = [fields.get('invite'), fields.get('token'), fields.get('sign-in')]
  if (invite) address.invite = invite
  if (token) address.token = token
  if (signIn) address.signIn = signIn
  return address
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
