/** The settings: for each variable of the environment what it means, what it is without one, and how it is read. */
import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { isHostName, kindOf } from '../addresses.ts'

export const MAX_PORT = 65_535

type LogLevel = 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

export interface Setting<T> {
  variable: string
  /** For `--help` and `.env.example`: meaning, unit, consequence. */
  help: string
  /** What is shown as the default. */
  shown: string
  /** Never printed, not even in an error. */
  secret?: true
  /** `text` is undefined when the variable is not set. Throws the cure: "must be …". */
  read: (text: string | undefined) => T
}

const setting = <T>(
  variable: string,
  shown: string | number,
  help: string,
  read: (text: string | undefined) => T,
  secret?: true,
): Setting<T> => ({ variable, shown: String(shown), help, read, ...(secret && { secret }) })

const whole =
  (minimum: number, maximum: number, byDefault: number) =>
  (text: string | undefined): number => {
    if (text === undefined) return byDefault
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum))
      throw new Error(`must be a whole number from ${minimum} to ${maximum}`)
    return value
  }

const flag = (text: string | undefined): boolean => {
  if (text === undefined || text === 'false' || text === '0') return false
  if (text === 'true' || text === '1') return true
  throw new Error('must be true or false')
}

const oneOf =
  <T extends string>(values: readonly T[], byDefault: T) =>
  (text: string | undefined): T => {
    if (text === undefined) return byDefault
    const found = values.find((value) => value === text)
    if (found === undefined) throw new Error(`must be one of ${values.join(', ')}`)
    return found
  }

const optional = (text: string | undefined): string | undefined => text

const listenHost = (text: string | undefined): string => {
  if (text === undefined) return '127.0.0.1'
  if (kindOf(text) === undefined && !isHostName(text))
    throw new Error('must be an address of this machine, 0.0.0.0 or ::')
  if (kindOf(text) === 'multicast' || kindOf(text) === 'reserved')
    throw new Error('must be an address that a machine can have')
  return text
}

const announcedAddress = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined
  const kind = kindOf(text)
  if (kind === undefined && !isHostName(text)) throw new Error('must be an IP address or a host name')
  if (kind !== undefined && NO_DESTINATIONS.has(kind))
    throw new Error('must be an address that clients can send to')
  return text
}
/** Kinds of address that no client can send to, or only on the same cable. */
const NO_DESTINATIONS: ReadonlySet<string> = new Set(['any', 'linkLocal', 'multicast', 'reserved'])

const httpUrl = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || !/^https?:\/\//i.test(text))
    throw new Error('must be an http or https address')
  if (url.username !== '' || url.password !== '') throw new Error('must be an address without credentials')
  if (/[?#]/.test(text)) throw new Error('must be an address without a query or fragment')
  if (NO_DESTINATIONS.has(kindOf(url.hostname.replace(/^\[|\]$/g, '')) ?? ''))
    throw new Error('must be an address that clients can connect to')
  return url.origin + url.pathname.replace(/\/+$/, '')
}

const masterKey = (text: string | undefined): Buffer | undefined => {
  if (text === undefined) return undefined
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  if (key.length !== 32)
    throw new Error('must be 32 bytes in base64 or hex; make one with: openssl rand -base64 32')
  return key
}

const metricsToken = (text: string | undefined): string | undefined => {
  if (text !== undefined && !/^[\w.~+/=-]{16,256}$/.test(text))
    throw new Error('must be 16 to 256 letters, digits or any of - . _ ~ + / =')
  return text
}

const proxyRanges = (text: string | undefined): readonly string[] => {
  const ranges = (text ?? '')
    .split(',')
    .map((range) => range.trim())
    .filter((range) => range !== '')
  const isRange = (range: string): boolean => {
    const [, net = '', bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(range) ?? []
    const version = isIP(net)
    return version !== 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128)
  }
  if (!ranges.every(isRange)) throw new Error('must be addresses and CIDR ranges by commas')
  return ranges
}

/** As RFC 7064 and RFC 7065 have it; a browser opens no connection at all with a list that has a wrong one. */
const TURN_URL = /^(?:stun:(?<stun>[^?]+)|turns?:(?<turn>[^?]+)(?:\?transport=(?:udp|tcp))?)$/

const turnUrls = (text: string | undefined): string[] => {
  const urls = (text ?? '')
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
    throw new Error('must be turn:, turns: or stun: addresses by commas, such as turn:turn.example.org:3478')
  return urls
}

export const settings = {
  port: setting('PORT', 9000, 'port of the HTTP listener', whole(0, 65535, 9000)),
  host: setting('HOST', '127.0.0.1', 'address to listen on; 0.0.0.0 or :: lets others in', listenHost),
  httpsPort: setting(
    'HTTPS_PORT',
    9443,
    'port of the HTTPS listener; published browser clients need it',
    whole(0, 65535, 9443),
  ),
  publicUrl: setting(
    'PUBLIC_URL',
    '',
    'address by which people reach this server, when a proxy stands before it',
    httpUrl,
  ),
  trustedProxies: setting(
    'TRUSTED_PROXIES',
    '',
    'addresses and CIDR ranges of proxies that say for whom they speak, by commas',
    proxyRanges,
  ),
  trustedProxyHeader: setting(
    'TRUSTED_PROXY_HEADER',
    'x-forwarded-for',
    'the header in which they say it; no other is believed',
    oneOf<'x-forwarded-for' | 'forwarded'>(['x-forwarded-for', 'forwarded'], 'x-forwarded-for'),
  ),
  tlsCert: setting(
    'TLS_CERT',
    '',
    'PEM file of the certificate; default: a self-signed one of our own',
    optional,
  ),
  tlsKey: setting('TLS_KEY', '', 'PEM file of its private key', optional),
  dataDir: setting(
    'DATA_DIR',
    './data',
    'folder of the database, the master key and the certificate',
    (text) => resolve(text ?? './data'),
  ),
  databaseUrl: setting('DATABASE_URL', '', 'default: SQLite in the data folder', optional, true),
  masterKey: setting(
    'MASTER_KEY',
    '',
    '32 bytes in base64 or hex that seal secrets at rest; default: a file in the data folder',
    masterKey,
    true,
  ),
  adminKey: setting(
    'ADMIN_KEY',
    '',
    'what scripts show to manage this server; default: a file in the data folder',
    optional,
    true,
  ),
  videosdkApiKey: setting(
    'VIDEOSDK_API_KEY',
    '',
    'an API key to accept, so that tokens minted elsewhere keep working',
    optional,
  ),
  videosdkSecretKey: setting('VIDEOSDK_SECRET_KEY', '', 'its secret', optional, true),
  apiEndpoint: setting(
    'VIDEOSDK_API_ENDPOINT',
    '',
    'for the token-server: the meeting service behind it',
    httpUrl,
  ),
  openGetToken: setting(
    'OPEN_GET_TOKEN',
    'false',
    'true: get-token answers anybody, not only this machine',
    flag,
  ),
  allowTokensWithoutExpiry: setting(
    'ALLOW_TOKENS_WITHOUT_EXPIRY',
    'false',
    'true: accept tokens without exp',
    flag,
  ),
  moderation: setting(
    'MODERATION',
    'grant',
    'grant: moderating needs allow_mod; open: everybody moderates',
    oneOf<'grant' | 'open'>(['grant', 'open'], 'grant'),
  ),
  lobbyTimeoutSeconds: setting(
    'LOBBY_TIMEOUT_SECONDS',
    600,
    'an entry request nobody answers is denied after this',
    whole(1, 86_400, 600),
  ),
  joinTimeoutSeconds: setting(
    'JOIN_TIMEOUT_SECONDS',
    60,
    'an admitted connection that has not joined gives up its seat after this',
    whole(1, 3600, 60),
  ),
  sessionGraceSeconds: setting(
    'SESSION_GRACE_SECONDS',
    10,
    'how long a session outlives its last participant',
    whole(0, 86_400, 10),
  ),
  mediaPort: setting(
    'MEDIA_PORT',
    40_000,
    'UDP and TCP port of the first media worker; the others follow',
    whole(1, 65_535, 40_000),
  ),
  mediaWorkers: setting(
    'MEDIA_WORKERS',
    'cores',
    'number of media workers',
    whole(1, 256, availableParallelism()),
  ),
  prepareMedia: setting(
    'PREPARE_MEDIA',
    'true',
    'whether the server fetches or builds a media worker that is missing, while it does all else',
    (text) => text === undefined || flag(text),
  ),
  announcedAddress: setting(
    'ANNOUNCED_ADDRESS',
    '',
    'address, or name that resolves, that clients send media to; default: HOST, or the first address of the machine',
    announcedAddress,
  ),
  turnUrls: setting(
    'TURN_URLS',
    '',
    'TURN servers, by commas, for our own client; they need TURN_SECRET',
    turnUrls,
  ),
  turnSecret: setting(
    'TURN_SECRET',
    '',
    'secret shared with them, for short-lived credentials',
    optional,
    true,
  ),
  maxMessageBytes: setting(
    'MAX_MESSAGE_BYTES',
    262_144,
    'largest message on a socket; four times as much ends the connection',
    whole(16_384, 16_777_216, 262_144),
  ),
  maxRequestsPerSecond: setting(
    'MAX_REQUESTS_PER_SECOND',
    50,
    'requests of one connection, on average; four times as many at once',
    whole(1, 10_000, 50),
  ),
  maxWaitingPerAddress: setting(
    'MAX_WAITING_PER_ADDRESS',
    50,
    'connections of one address that are not let in yet',
    whole(1, 100_000, 50),
  ),
  maxConnections: setting(
    'MAX_CONNECTIONS',
    10_000,
    'connections of all together, over both listeners',
    whole(10, 1_000_000, 10_000),
  ),
  maxConnectionsPerAddress: setting(
    'MAX_CONNECTIONS_PER_ADDRESS',
    1000,
    'connections of one address, whatever they do; an IPv6 address counts by its /64',
    whole(1, 1_000_000, 1000),
  ),
  maxHttpRequestsPerSecond: setting(
    'MAX_HTTP_REQUESTS_PER_SECOND',
    200,
    'requests of one address, on average; four times as many at once; none where only this machine comes',
    whole(1, 1_000_000, 200),
  ),
  maxKeyRequestsPerSecond: setting(
    'MAX_KEY_REQUESTS_PER_SECOND',
    500,
    'requests with tokens of one API key, on average; four times as many at once; none where only this machine comes',
    whole(1, 1_000_000, 500),
  ),
  maxFailedTokensPerMinute: setting(
    'MAX_FAILED_TOKENS_PER_MINUTE',
    120,
    'tokens, keys and secrets of one address that are refused; none where only this machine comes',
    whole(1, 1_000_000, 120),
  ),
  maxEntryRequestsPerMinute: setting(
    'MAX_ENTRY_REQUESTS_PER_MINUTE',
    120,
    'entry requests of one address; none where only this machine comes',
    whole(1, 1_000_000, 120),
  ),
  maxMediaOpeningsPerMinute: setting(
    'MAX_MEDIA_OPENINGS_PER_MINUTE',
    120,
    'streams and transports that one connection opens',
    whole(10, 1_000_000, 120),
  ),
  headersTimeoutSeconds: setting(
    'HEADERS_TIMEOUT_SECONDS',
    10,
    'how long a connection may take to say what it wants',
    whole(1, 3600, 10),
  ),
  requestTimeoutSeconds: setting(
    'REQUEST_TIMEOUT_SECONDS',
    30,
    'how long a request may take to arrive, its body included',
    whole(1, 3600, 30),
  ),
  maxBodyBytes: setting(
    'MAX_BODY_BYTES',
    268_435_456,
    'bodies over 16 KiB that arrive at once, of all together',
    whole(1_048_576, 17_179_869_184, 268_435_456),
  ),
  maxBodyBytesPerAddress: setting(
    'MAX_BODY_BYTES_PER_ADDRESS',
    16_777_216,
    'bodies over 16 KiB that arrive at once from one address; one is always taken',
    whole(262_144, 17_179_869_184, 16_777_216),
  ),
  maxEntryRequests: setting(
    'MAX_ENTRY_REQUESTS',
    100,
    'entry requests of one meeting that wait at once',
    whole(1, 100_000, 100),
  ),
  maxParticipants: setting('MAX_PARTICIPANTS', 100, 'participants of one meeting', whole(1, 100_000, 100)),
  maxProducers: setting('MAX_PRODUCERS', 8, 'streams that one participant sends at once', whole(1, 1000, 8)),
  maxInvites: setting(
    'MAX_INVITES',
    1000,
    'invites of one meeting that are in force',
    whole(1, 100_000, 1000),
  ),
  maxStoreKeys: setting(
    'MAX_STORE_KEYS',
    2000,
    'keys of the realtime store in one session, and as many that are observed',
    whole(1, 100_000, 2000),
  ),
  maxChatMessageBytes: setting(
    'MAX_CHAT_MESSAGE_BYTES',
    65_536,
    'largest chat message, text and payload together',
    whole(1024, 1_048_576, 65_536),
  ),
  maxChatMessagesPerSecond: setting(
    'MAX_CHAT_MESSAGES_PER_SECOND',
    20,
    'chat requests of one participant, and messages of one token over REST, on average; four times as many at once',
    whole(1, 100_000, 20),
  ),
  maxChatTopics: setting(
    'MAX_CHAT_TOPICS',
    2000,
    'chat topics of one session that somebody listens to',
    whole(1, 100_000, 2000),
  ),
  maxChatSubscriptions: setting(
    'MAX_CHAT_SUBSCRIPTIONS',
    100,
    'chat topics that one participant listens to',
    whole(1, 10_000, 100),
  ),
  maxSessionChatBytes: setting(
    'MAX_SESSION_CHAT_BYTES',
    67_108_864,
    'chat that is kept of one session; a message takes at least 256 bytes',
    whole(65_536, 10_737_418_240, 67_108_864),
  ),
  maxFileBytes: setting(
    'MAX_FILE_BYTES',
    5_242_880,
    'largest file that is handed round in a meeting',
    whole(1024, 104_857_600, 5_242_880),
  ),
  maxSessionFileBytes: setting(
    'MAX_SESSION_FILE_BYTES',
    104_857_600,
    'all files of one session together',
    whole(1024, 10_737_418_240, 104_857_600),
  ),
  maxFileUploadsPerMinute: setting(
    'MAX_FILE_UPLOADS_PER_MINUTE',
    30,
    'files that one participant hands round',
    whole(1, 100_000, 30),
  ),
  maxSessionFileUploadsPerMinute: setting(
    'MAX_SESSION_FILE_UPLOADS_PER_MINUTE',
    300,
    'files that are handed round in one session',
    whole(1, 100_000, 300),
  ),
  statsIntervalSeconds: setting(
    'STATS_INTERVAL_SECONDS',
    10,
    'how often the quality of media is measured; 0 never',
    whole(0, 3600, 10),
  ),
  statsRetentionDays: setting(
    'STATS_RETENTION_DAYS',
    7,
    'how long these figures are kept; 0 for ever',
    whole(0, 3650, 7),
  ),
  retentionDays: setting(
    'RETENTION_DAYS',
    90,
    'how long records of sessions, chat logs and webhook deliveries are kept; 0 for ever',
    whole(0, 3650, 90),
  ),
  webhookAllowPrivate: setting(
    'WEBHOOK_ALLOW_PRIVATE',
    'false',
    'true: webhooks may go to private addresses, for development',
    flag,
  ),
  webhookTimeoutSeconds: setting(
    'WEBHOOK_TIMEOUT_SECONDS',
    10,
    'how long the receiver of a webhook may take to answer',
    whole(1, 60, 10),
  ),
  webhookRetryHours: setting(
    'WEBHOOK_RETRY_HOURS',
    24,
    'how old an event may be and still be delivered again by itself',
    whole(0, 720, 24),
  ),
  metricsToken: setting(
    'METRICS_TOKEN',
    '',
    'the bearer token that /metrics asks for; without it, only the owner at this machine and the admin key read them',
    metricsToken,
    true,
  ),
  logLevel: setting(
    'LOG_LEVEL',
    'info',
    'how much is logged',
    oneOf<LogLevel>(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'], 'info'),
  ),
  logFormat: setting(
    'LOG_FORMAT',
    'auto',
    'pretty: for a person; json: one object a line; auto: pretty where standard output is a terminal, else json',
    oneOf<'auto' | 'pretty' | 'json'>(['auto', 'pretty', 'json'], 'auto'),
  ),
} satisfies Record<string, Setting<unknown>>

export type Values = {
  [Name in keyof typeof settings]: (typeof settings)[Name] extends Setting<infer T> ? T : never
}
