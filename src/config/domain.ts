/** What DOMAIN changes: the defaults of other settings, and which settings contradict it. */
import { networkInterfaces } from 'node:os'
import { ConfigError } from '../errors.ts'
import type { Values } from './settings.ts'

const HTTP_PORT = 80
const HTTPS_PORT = 443

/**
 * Sets the defaults that follow from DOMAIN, for settings that are not given.
 * @param given the variables that are set
 * @throws {ConfigError} if another setting contradicts DOMAIN
 */
export function deriveFromDomain(
  values: Pick<
    Values,
    | 'domain'
    | 'host'
    | 'port'
    | 'httpsPort'
    | 'publicUrl'
    | 'tlsCert'
    | 'nodeAddress'
    | 'acmeEmail'
    | 'acmeCa'
  >,
  given: readonly string[],
  hasIpv6 = machineHasIpv6(),
): void {
  const { domain } = values
  if (domain === undefined) {
    for (const variable of ['ACME_EMAIL', 'ACME_CA'])
      if (given.includes(variable))
        throw new ConfigError(`${variable} is set but DOMAIN is not: set it to the name of this server.`)
    return
  }
  if (values.tlsCert !== undefined)
    throw new ConfigError(
      'DOMAIN gets a certificate and TLS_CERT names another: unset DOMAIN to use your own, or TLS_CERT and TLS_KEY.',
    )
  if (values.nodeAddress !== undefined)
    throw new ConfigError(
      'DOMAIN is set and NODE_ADDRESS too: several nodes share one name, so the balancer before them has the certificate; unset DOMAIN and set PUBLIC_URL.',
    )
  if (!given.includes('HOST')) values.host = hasIpv6 ? '::' : '0.0.0.0'
  if (!given.includes('PORT')) values.port = HTTP_PORT
  if (!given.includes('HTTPS_PORT')) values.httpsPort = HTTPS_PORT
  if (values.publicUrl === undefined) {
    const port = values.httpsPort === HTTPS_PORT ? '' : `:${values.httpsPort}`
    values.publicUrl = `https://${domain}${port}`
    return
  }
  const { protocol, hostname } = new URL(values.publicUrl)
  if (protocol !== 'https:' || hostname !== domain)
    throw new ConfigError(
      `PUBLIC_URL must begin with https://${domain}, which is DOMAIN: correct it, or unset it.`,
    )
}

/** Whether sockets of this machine can have IPv6 addresses. */
function machineHasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family }) => family === 'IPv6'),
  )
}
