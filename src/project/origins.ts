/** Which web pages may use an API key: the rule behind 4025 (contract, rest-and-tokens §1.3). Values in, a decision out. */
import { Refusal } from '../protocol/errors.ts'

/** `scheme://host[:port]`, with `*.` before a host that has a dot, in lower case, with no port that is the scheme's own. */
const ORIGIN =
  /^https?:\/\/(\*\.(?=[^/]*[a-z0-9]\.[a-z0-9]))?([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(:\d{1,5})?$/

/** As a browser would spell it; undefined for what is no origin. */
export function normalOrigin(text: string): string | undefined {
  const lower = text.trim().toLowerCase()
  if (lower.length > 300 || !ORIGIN.test(lower)) return undefined
  // The parser of addresses knows no stars.
  const [scheme, host] = lower.split('://*.')
  const plain = host === undefined ? lower : `${scheme!}://${host}`
  if (!URL.canParse(plain)) return undefined
  const { origin } = new URL(plain)
  return host === undefined ? origin : origin.replace('://', '://*.')
}

/**
 * @param origins of the key; null allows any
 * @param origin what the browser says of the page; undefined where no browser asks, which is allowed
 * @param ownOrigin of this server: its own pages may use every key
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
  // One or more labels in the place of the star: `host` begins with a dot.
  return origin.startsWith(`${scheme!}://`) && origin.endsWith(host)
}
