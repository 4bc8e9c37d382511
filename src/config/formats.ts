/**
 * Parsers for values that a schema cannot describe. Each takes the text of a variable and returns its value, or throws what
 * the text must be ("must be …").
 */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { domainToASCII, fileURLToPath } from 'node:url'
import { isHostName, isLoopback, kindOf } from '../addresses.ts'

export const MAX_PORT = 65_535

/** Kinds of address that clients cannot send to, or only on the same link. */
const NO_DESTINATIONS: ReadonlySet<string> = new Set(['any', 'linkLocal', 'multicast', 'reserved'])

export const listenHost = (text: string): string => {
  if (kindOf(text) === undefined && !isHostName(text))
    throw new Error('must be an address of this machine, 0.0.0.0 or ::')
  if (kindOf(text) === 'multicast' || kindOf(text) === 'reserved')
    throw new Error('must be a unicast address')
  return text
}

const MAX_ANNOUNCED = 8

export const announcedAddresses = (text: string): readonly string[] => {
  const all = text.split(',').map((one) => announcedAddress(one.trim()))
  if (all.length > MAX_ANNOUNCED) throw new Error(`must be at most ${MAX_ANNOUNCED} addresses`)
  return Object.freeze([...new Set(all)])
}

const announcedAddress = (text: string): string => {
  const kind = kindOf(text)
  if (kind === undefined && !isHostName(text)) throw new Error('must be an IP address or a host name')
  if (kind !== undefined && NO_DESTINATIONS.has(kind))
    throw new Error('must be an address that clients can send to')
  return text
}

export const httpUrl = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || !/^https?:\/\//i.test(text))
    throw new Error('must be an http or https address')
  if (url.username !== '' || url.password !== '') throw new Error('must be an address without credentials')
  if (/[?#]/.test(text)) throw new Error('must be an address without a query or fragment')
  if (NO_DESTINATIONS.has(kindOf(url.hostname.replace(/^\[|\]$/g, '')) ?? ''))
    throw new Error('must be an address that clients can connect to')
  return url.origin + url.pathname.replace(/\/+$/, '')
}

/** A host name of several labels, in ASCII and lower case. */
export const domainName = (text: string): string => {
  const name = domainToASCII(text).replace(/\.$/, '')
  if (!isHostName(name) || !name.includes('.') || kindOf(name) !== undefined)
    throw new Error('must be a host name such as meet.example.org, without a scheme or port')
  return name
}

export const acmeDirectory = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.hash !== '')
    throw new Error('must be an https address without credentials')
  return url.href
}

export const acmeEmail = (text: string): string => {
  if (!/^[^\s@,<>]{1,64}@[^\s@,<>]{1,190}$/.test(text)) throw new Error('must be one e-mail address')
  return text
}

/** The speech of meetings, and a key, go there. */
export const speechUrl = (text: string): string => {
  const address = httpUrl(text)
  const { protocol, hostname, pathname } = new URL(address)
  if (protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
    throw new Error('must be an https address, or an http address of this machine')
  if (!pathname.endsWith('/v1')) throw new Error('must end in /v1')
  return address
}

/** An OpenID Connect provider. Tokens come from it, so the way there is encrypted. */
export const oidcIssuer = (text: string): string => {
  const address = httpUrl(text)
  const { protocol, hostname } = new URL(address)
  if (protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
    throw new Error('must be an https address, or an http address of this machine')
  return text
}

export const oidcScopes = (text: string): string => {
  if (!text.split(' ').includes('openid')) throw new Error('must be names separated by blanks, with openid')
  return text
}

/** `value of the claim=role`, separated by commas. */
export const oidcRoles = (text: string): ReadonlyMap<string, 'viewer' | 'operator' | 'owner'> =>
  new Map(
    text.split(',').map((part) => {
      const at = part.lastIndexOf('=')
      const [value, role] = [part.slice(0, at).trim(), part.slice(at + 1).trim()]
      if (at < 0 || value === '' || !(role === 'viewer' || role === 'operator' || role === 'owner'))
        throw new Error('must be value=role, separated by commas, with the roles viewer, operator and owner')
      return [value, role] as const
    }),
  )

export const bearerKey = (text: string): string => {
  if (!/^[\x21-\x7e]{1,1000}$/.test(text)) throw new Error('must be printable ASCII without spaces')
  return text
}

/** A folder, or a bucket of a store that speaks S3. As text it is what was given. */
export type FilesUrl = (
  | { kind: 'folder'; folder: string }
  | {
      kind: 's3'
      bucket: string
      prefix: string
      endpoint: string
      region: string
      pathStyle: boolean
    }
) & { toString: () => string }

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const PREFIX = /^[\w!'()*+=,@$-][\w.!'()*+=,@$-]*(\/[\w!'()*+=,@$-][\w.!'()*+=,@$-]*)*$/

export const filesUrl = (text: string): FilesUrl => {
  const toString = (): string => text
  if (text.startsWith('/')) return { kind: 'folder', folder: resolve(text), toString }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'file:' && url.host === '' && /^file:\/\/\/[^/?#][^?#]*$/i.test(text))
    return { kind: 'folder', folder: resolve(fileURLToPath(url)), toString }
  if (url?.protocol !== 's3:' || url.hash !== '')
    throw new Error('must be file:///folder, or s3://bucket/prefix?region=…&endpoint=https://…')
  if (url.username !== '' || url.password !== '' || url.port !== '')
    throw new Error(
      'must be an address without credentials and port: set FILES_ACCESS_KEY_ID and FILES_SECRET_ACCESS_KEY',
    )
  const [bucket, prefix] = [url.host, url.pathname.replace(/^\/+|\/+$/g, '')]
  if (!BUCKET.test(bucket)) throw new Error('must have the name of a bucket after s3://')
  if (prefix !== '' && !PREFIX.test(prefix))
    throw new Error(
      "must have a prefix of letters, digits and _.!'()*+=,@$-, in names that do not begin with a dot",
    )
  const options = Object.fromEntries(url.searchParams)
  const unknown = Object.keys(options).find((name) => !['region', 'endpoint', 'pathStyle'].includes(name))
  if (unknown !== undefined)
    throw new Error(`must have no option but region, endpoint and pathStyle, not ${unknown}`)
  const {
    region = 'us-east-1',
    endpoint = `https://s3.${region}.amazonaws.com`,
    pathStyle = String('endpoint' in options),
  } = options
  if (!/^[a-z0-9-]{1,40}$/.test(region)) throw new Error('must have a region such as eu-central-1')
  if (pathStyle !== 'true' && pathStyle !== 'false')
    throw new Error('must have pathStyle=true or pathStyle=false')
  return {
    kind: 's3',
    bucket,
    prefix,
    endpoint: endpointOf(endpoint),
    region,
    pathStyle: pathStyle === 'true',
    toString,
  }
}

function endpointOf(text: string): string {
  try {
    return httpUrl(text)
  } catch (cause) {
    throw new Error(`has an endpoint that ${(cause as Error).message}`, { cause })
  }
}

export const postgresUrl = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || !/^\/[^/]+$/.test(url.pathname))
    throw new Error('must be postgres://user:password@host:5432/database')
  return text
}

/** A bare IP address of one machine. */
export const nodeAddress = (text: string): string => {
  const kind = kindOf(text)
  if (kind === undefined || kind === 'any' || kind === 'multicast' || kind === 'reserved')
    throw new Error('must be the bare IP address of one machine, without a port')
  return text
}

export const nodeId = (text: string): string => {
  if (!/^[\w.:-]{1,64}$/.test(text))
    throw new Error('must be 1 to 64 letters, digits and characters of ".:_-"')
  return text
}

/** `first-last`. */
export const portRange = (text: string): { min: number; max: number } => {
  const [, first = '', last = ''] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []
  const [min, max] = [Number(first), Number(last)]
  if (first === '' || min < 1 || max > MAX_PORT || min > max)
    throw new Error(`must be two ports from 1 to ${MAX_PORT}, as first-last`)
  return { min, max }
}

/** `name=value` pairs separated by commas, values percent-encoded, as OpenTelemetry writes headers. */
export const headerPairs = (text: string): Readonly<Record<string, string>> => {
  const pairs = text.split(',').map((pair) => /^\s*([\w!#$%&'*+.^`|~-]+)=(.*?)\s*$/.exec(pair))
  try {
    return Object.freeze(
      Object.fromEntries(pairs.map((pair) => [pair![1]!, headerValue(decodeURIComponent(pair![2]!))])),
    )
  } catch {
    throw new Error('must be name=value pairs, separated by commas')
  }
}

function headerValue(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Error('must be printable ASCII')
  return text
}

export const share = (text: string): number => {
  const value = /^(0|1|0?\.\d{1,9}|1\.0+)$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(value)) throw new Error('must be a number from 0 to 1')
  return value
}

export const masterKey = (text: string): Buffer => {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  if (key.length !== 32)
    throw new Error('must be 32 bytes in base64 or hex; create one with: openssl rand -base64 32')
  return key
}

export const metricsToken = (text: string): string => {
  if (!/^[\w.~+/=-]{16,256}$/.test(text))
    throw new Error('must be 16 to 256 characters: letters, digits, or any of - . _ ~ + / =')
  return text
}

const MEDIA_LOG_LEVELS = ['none', 'error', 'warn', 'debug']
/** Subjects of a worker's warn and debug lines, as named by mediasoup. */
const MEDIA_LOG_TAGS = 'info ice dtls rtp srtp rtcp rtx bwe score simulcast svc sctp message'.split(' ')

export const mediaLog = (text: string): string => {
  const [level = '', tags, ...rest] = text.split(':')
  const areTags = tags === undefined || tags.split(',').every((tag) => MEDIA_LOG_TAGS.includes(tag))
  if (!MEDIA_LOG_LEVELS.includes(level) || !areTags || rest.length > 0)
    throw new Error(
      `must be one of ${MEDIA_LOG_LEVELS.join(', ')}, optionally with a colon and any of ${MEDIA_LOG_TAGS.join(', ')}`,
    )
  return text
}

/** Sources of `frame-ancestors`; each is an origin and nothing more, because the list becomes part of a header. */
export const embedOrigins = (text: string): readonly string[] => {
  const origins = text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
  if (origins.length === 1 && origins[0] === '*') return origins
  if (origins.length === 1 && origins[0] === 'none') return []
  const isOrigin = (origin: string): boolean =>
    /^https?:\/\/[^\s;,'"*/\\]+$/i.test(origin) &&
    URL.parse(origin)?.origin === origin.toLowerCase().replace(/(^https:.*):443$|(^http:.*):80$/, '$1$2')
  if (origins.length === 0 || !origins.every(isOrigin))
    throw new Error('must be *, none, or origins such as https://app.example, separated by commas')
  return origins.map((origin) => new URL(origin).origin)
}

export const proxyRanges = (text: string): readonly string[] => {
  const ranges = text
    .split(',')
    .map((range) => range.trim())
    .filter((range) => range !== '')
  const isRange = (range: string): boolean => {
    const [, net = '', bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(range) ?? []
    const version = isIP(net)
    return version !== 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128)
  }
  if (!ranges.every(isRange)) throw new Error('must be addresses or CIDR ranges, separated by commas')
  return ranges
}

/** The syntax of RFC 7064 and RFC 7065. One invalid URL in the list makes a browser refuse the whole connection. */
const TURN_URL = /^(?:stun:(?<stun>[^?]+)|turns?:(?<turn>[^?]+)(?:\?transport=(?:udp|tcp))?)$/

export const turnUrls = (text: string): string[] => {
  const urls = text
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '')
  const isServer = (url: string): boolean => {
    const { stun, turn } = TURN_URL.exec(url)?.groups ?? {}
    const [, name = '', inBrackets, port = '1'] =
      /^(?:([^[\]:]+)|\[([^\]]+)\])(?::(\d{1,5}))?$/.exec(stun ?? turn ?? '') ?? []
    const address = inBrackets ?? name
    const kind = kindOf(address)
    const isHost =
      inBrackets === undefined
        ? kind !== undefined || isHostName(address)
        : kind !== undefined && isIP(address) === 6
    return isHost && !NO_DESTINATIONS.has(kind ?? '') && Number(port) >= 1 && Number(port) <= MAX_PORT
  }
  if (!urls.every(isServer))
    throw new Error(
      'must be turn:, turns: or stun: addresses, separated by commas, such as turn:turn.example.org:3478',
    )
  return urls
}
