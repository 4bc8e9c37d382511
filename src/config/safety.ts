/** What settings must be together: pairs, ports, and nothing weak where others come. */
import { isLoopback, isReachedFromHereAlone } from '../addresses.ts'
import { ConfigError } from '../errors.ts'
import { MAX_PORT } from './formats.ts'
import { settings, type Values } from './settings.ts'

/** Secrets that stand in samples everywhere. */
const SAMPLE_SECRETS =
  /^(secret|changeme|change-me|password|test|your[-_ ]?secret.*|videosdk|anteroom|x+|0+)$/i
const MIN_SECRET_LENGTH = 32

/**
 * Paces at which other people may come. A server that only this machine reaches has none, unless the environment names one:
 * who loads it is its owner, with a test or a measurement.
 */
const PACES_OF_OTHERS = [
  'maxHttpRequestsPerSecond',
  'maxKeyRequestsPerSecond',
  'maxFailedTokensPerMinute',
  'maxEntryRequestsPerMinute',
] as const
const NO_PACE = 1_000_000

/** Lifts the paces of others that the environment does not name, where only this machine comes. */
export function liftPaces(
  values: Pick<Values, 'host' | 'publicUrl' | 'trustedProxies' | (typeof PACES_OF_OTHERS)[number]>,
  given: readonly string[],
): void {
  if (!isReachedFromHereAlone(values)) return
  for (const name of PACES_OF_OTHERS) if (!given.includes(settings[name].env)) values[name] = NO_PACE
}

/**
 * @throws {ConfigError} on the first thing that is incomplete or unsafe together with another
 */
export function assertSafe(values: Values): void {
  if ((values.videosdkApiKey === undefined) !== (values.videosdkSecretKey === undefined)) {
    const [there, missing] =
      values.videosdkApiKey === undefined
        ? ['VIDEOSDK_SECRET_KEY', 'VIDEOSDK_API_KEY']
        : ['VIDEOSDK_API_KEY', 'VIDEOSDK_SECRET_KEY']
    throw new ConfigError(`${there} is set and ${missing} is not: set both or none.`)
  }
  if ((values.tlsCert === undefined) !== (values.tlsKey === undefined)) {
    throw new ConfigError('TLS_CERT and TLS_KEY go together: set both or none.')
  }
  if (values.turnSecret === undefined && values.turnUrls.some((url) => url.startsWith('turn'))) {
    throw new ConfigError(
      'TURN_URLS names a TURN server, which lets nobody in without a password: set TURN_SECRET to the secret that it has too.',
    )
  }
  const lastMediaPort = values.mediaPort + values.mediaWorkers - 1
  if (lastMediaPort > MAX_PORT) {
    throw new ConfigError(
      `MEDIA_PORT leaves no port for each of ${values.mediaWorkers} workers: choose ${MAX_PORT - values.mediaWorkers + 1} or less, or fewer MEDIA_WORKERS.`,
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

/**
 * Two listeners cannot share a port. Asked by those who open them all.
 * @throws {ConfigError}
 */
export function assertPortsApart({
  port,
  httpsPort,
  mediaPort,
  mediaWorkers,
}: Pick<Values, 'port' | 'httpsPort' | 'mediaPort' | 'mediaWorkers'>): void {
  if (port !== 0 && port === httpsPort)
    throw new ConfigError(`PORT and HTTPS_PORT are both ${port}: choose another for one of them.`)
  for (const [variable, value] of [
    ['PORT', port],
    ['HTTPS_PORT', httpsPort],
  ] as const) {
    if (value >= mediaPort && value < mediaPort + mediaWorkers)
      throw new ConfigError(
        `${variable} is ${value}, which is one of the ${mediaWorkers} media ports from MEDIA_PORT ${mediaPort} on: choose another.`,
      )
  }
}
