/** Rules across settings: pairs, ports, and no weak secret on a public address. */
import { isLoopback, isReachedFromHereAlone } from '../addresses.ts'
import { ConfigError } from '../errors.ts'
import { MAX_PORT } from './formats.ts'
import { settings, type Values } from './settings.ts'

/** Secrets that appear in samples. */
const SAMPLE_SECRETS =
  /^(secret|changeme|change-me|password|test|your[-_ ]?secret.*|videosdk|anteroom|x+|0+)$/i
const MIN_SECRET_LENGTH = 32

/**
 * Rate limits against other people. A server that only this machine can reach has none of them unless they are set: any load
 * on it comes from its owner's tests and measurements.
 */
const RATE_LIMITS = [
  'maxHttpRequestsPerSecond',
  'maxKeyRequestsPerSecond',
  'maxFailedTokensPerMinute',
  'maxEntryRequestsPerMinute',
] as const
const UNLIMITED = 1_000_000

/** Lifts the rate limits that are not set, if only this machine can reach the server. */
export function liftRateLimits(
  values: Pick<Values, 'host' | 'publicUrl' | 'trustedProxies' | (typeof RATE_LIMITS)[number]>,
  given: readonly string[],
): void {
  if (!isReachedFromHereAlone(values)) return
  for (const name of RATE_LIMITS) if (!given.includes(settings[name].env)) values[name] = UNLIMITED
}

/**
 * @throws {ConfigError} on the first setting that is incomplete, or unsafe in combination with another
 */
export function assertSafe(values: Values): void {
  if ((values.videosdkApiKey === undefined) !== (values.videosdkSecretKey === undefined)) {
    const [there, missing] =
      values.videosdkApiKey === undefined
        ? ['VIDEOSDK_SECRET_KEY', 'VIDEOSDK_API_KEY']
        : ['VIDEOSDK_API_KEY', 'VIDEOSDK_SECRET_KEY']
    throw new ConfigError(`${there} is set but ${missing} is not: set both or neither.`)
  }
  if ((values.tlsCert === undefined) !== (values.tlsKey === undefined)) {
    throw new ConfigError('TLS_CERT and TLS_KEY belong together: set both or neither.')
  }
  if (values.turnSecret === undefined && values.turnUrls.some((url) => url.startsWith('turn'))) {
    throw new ConfigError(
      'TURN_URLS names a TURN server, which requires credentials: set TURN_SECRET to the secret of that server.',
    )
  }
  for (const [variable, value] of [
    ['TRANSCRIPTION_API_KEY', values.transcriptionApiKey],
    ['SUMMARY_MODEL', values.summaryModel],
  ] as const) {
    if (value !== undefined && values.transcriptionUrl === undefined)
      throw new ConfigError(`${variable} is set but TRANSCRIPTION_URL is not: set it too.`)
  }
  if ((values.oidcIssuer === undefined) !== (values.oidcClientId === undefined))
    throw new ConfigError('OIDC_ISSUER and OIDC_CLIENT_ID belong together: set both or neither.')
  if (values.oidcClientSecret !== undefined && values.oidcIssuer === undefined)
    throw new ConfigError('OIDC_CLIENT_SECRET is set but OIDC_ISSUER is not: set it too.')
  assertNodeComplete(values)
  const { chatRetentionDays = 0, retentionDays } = values
  if (retentionDays > 0 && chatRetentionDays > retentionDays)
    throw new ConfigError(
      `CHAT_RETENTION_DAYS is ${chatRetentionDays}, but RETENTION_DAYS deletes sessions with their chat after ${retentionDays} days: choose ${retentionDays} or less, or raise RETENTION_DAYS.`,
    )
  const { filesUrl, filesAccessKeyId, filesSecretAccessKey } = values
  for (const [variable, value] of [
    ['FILES_ACCESS_KEY_ID', filesAccessKeyId],
    ['FILES_SECRET_ACCESS_KEY', filesSecretAccessKey],
  ] as const) {
    if (filesUrl?.kind === 's3' && value === undefined)
      throw new ConfigError(`FILES_URL names a store that speaks S3, but ${variable} is not set: set it.`)
    if (filesUrl?.kind !== 's3' && value !== undefined)
      throw new ConfigError(
        `${variable} is set but FILES_URL names no store that speaks S3: set it to s3://….`,
      )
  }
  const lastMediaPort = values.mediaPort + values.mediaWorkers - 1
  if (lastMediaPort > MAX_PORT) {
    throw new ConfigError(
      `MEDIA_PORT leaves too few ports for ${values.mediaWorkers} workers: choose ${MAX_PORT - values.mediaWorkers + 1} or less, or fewer MEDIA_WORKERS.`,
    )
  }
  for (const [variable, secret] of [
    ['VIDEOSDK_SECRET_KEY', values.videosdkSecretKey],
    ['ADMIN_KEY', values.adminKey],
  ] as const) {
    if (secret === undefined || isLoopback(values.host)) continue
    if (secret.length < MIN_SECRET_LENGTH || SAMPLE_SECRETS.test(secret)) {
      throw new ConfigError(
        `${variable} is too weak for a public address: use at least ${MIN_SECRET_LENGTH} random characters, or set HOST=127.0.0.1.`,
      )
    }
  }
}

/** Nodes share what a single server keeps in its data folder. @throws {ConfigError} */
function assertNodeComplete(values: Values): void {
  const { nodeAddress, nodeId, databaseUrl, masterKey, adminKey, drainSeconds } = values
  if (nodeAddress === undefined) {
    if (nodeId !== undefined)
      throw new ConfigError('NODE_ID is set but NODE_ADDRESS is not: set it to the IP address of this node.')
    if (drainSeconds > 0)
      throw new ConfigError(
        'DRAIN_SECONDS is set but NODE_ADDRESS is not: a server alone has no other to move its meetings to.',
      )
    return
  }
  for (const [variable, value, cure] of [
    ['DATABASE_URL', databaseUrl, 'name the PostgreSQL database that all nodes share'],
    ['MASTER_KEY', masterKey, 'set it to the same 32 bytes on every node'],
    ['ADMIN_KEY', adminKey, 'set it to the same key on every node'],
  ] as const)
    if (value === undefined) throw new ConfigError(`NODE_ADDRESS is set but ${variable} is not: ${cure}.`)
}

/**
 * Checks that no two listeners share a port. Call it before opening all of them.
 * @throws {ConfigError}
 */
export function assertPortsApart({
  port,
  httpsPort,
  mediaPort,
  mediaWorkers,
}: Pick<Values, 'port' | 'httpsPort' | 'mediaPort' | 'mediaWorkers'>): void {
  if (port !== 0 && port === httpsPort)
    throw new ConfigError(`PORT and HTTPS_PORT are both ${port}: choose two different ports.`)
  for (const [variable, value] of [
    ['PORT', port],
    ['HTTPS_PORT', httpsPort],
  ] as const) {
    if (value >= mediaPort && value < mediaPort + mediaWorkers)
      throw new ConfigError(
        `${variable} is ${value}, which is one of the ${mediaWorkers} media ports that begin at MEDIA_PORT ${mediaPort}: choose another port.`,
      )
  }
}
