/** Decides which web pages may use an API key: the rule behind 4025 (contract, rest-and-tokens §1.3). Pure. */
import { Refusal } from '../protocol/errors.ts'

/** `scheme://host[:port]` in lower case, without the scheme's default port; `*.` is allowed before a host with a dot. */
const ORIGIN =
  /^https?:\/\/(\*\.(?=[^/]*[a-z0-9]\.[a-z0-9]))?([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(:\d{1,5})?$/

/** Normalises an origin as a browser does; returns undefined if it is not an origin. */
export function normalOrigin(text: string): string | undefined {
  const lower = text.trim().toLowerCase()
  if (lower.length > 300 || !ORIGIN.test(lower)) return undefined
  // URL cannot parse a star.
  const [scheme, host] = lower.split('://*.')
  const plain = host === undefined ? lower : `${scheme!}://${host}`
  if (!URL.canParse(plain)) return undefined
  const { origin } = new URL(plain)
  return host === undefined ? origin : origin.replace('://', '://*.')
}

/**
 * @param origins of the key; null allows any
 * @param origin the page's origin from the browser; undefined if no browser sends the request, which is allowed
 * @param ownOrigin this server's origin; its own pages may use every key
 */
export function refusalOfOrigin(
  origins: readonly string[] | null,
  origin: string | undefined,
  ownOrigin: string,
): Refusal | undefined {
  if (origins === null || origin === undefined || origin === ownOrigin) return undefined
  const asked = normalOrigin(origin)
  if (asked !== undefined && !asked.includes('*') && origins.some((one) => covers(one, asked)))
    return undefined
  return new Refusal('UNAUTHORIZED_REQUEST', {
    message: 'Pages of this address may not use the API key.',
    reason: 'origin',
  })
}

function covers(allowed: string, origin: string): boolean {
  const [scheme, host] = allowed.split('://*')
  if (host === undefined) return allowed === origin
  // The star stands for one or more labels: `host` begins with a dot.
  return origin.startsWith(`${scheme!}://`) && origin.endsWith(host)
}
