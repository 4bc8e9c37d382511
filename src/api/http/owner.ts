/**
 * Who may act as the owner of this server without credentials (docs/decisions/0008 and 0013): somebody who sits at its machine,
 * while only this machine reaches it. The one rule for tokens without credentials, starting meetings and metrics.
 *
 * Behind a proxy every connection comes from this machine, so whatever shows a proxy ends the privilege. A proxy that passes on
 * nothing of its own over HTTP/1.1 and runs as the same user as the server cannot be told from a person here: the start warns
 * where one is likely, and PUBLIC_URL or TRUSTED_PROXIES ends the privilege for good.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { isLoopback, isLoopbackHost, isReachedFromHereAlone } from '../../addresses.ts'
import { userOfPeer } from './peer-user.ts'
import { isFromForeignPage, type OwnAddress } from './same-origin.ts'

export interface OwnerSettings extends OwnAddress {
  trustedProxies: readonly string[]
}

/**
 * Whose pages may ask in a browser: `own`, those of this server; `ofThisMachine`, also those of other servers here, as an app
 * under development asks its token server.
 */
export type Pages = 'own' | 'ofThisMachine'

export interface Owner {
  isHere(request: FastifyRequest, pages: Pages): boolean
}

export interface OwnerOptions {
  settings: OwnerSettings
  /** The user that this process runs as, where the system has such. */
  userId: number | undefined
  log: Pick<Logger, 'warn'>
}

export function createOwner({ settings, userId, log }: OwnerOptions): Owner {
  let warned = false
  const reachedFromHereAlone = isReachedFromHereAlone(settings)
  return {
    isHere: (request, pages) => {
      if (!reachedFromHereAlone) return false
      const sign = signOfProxy(request.raw, userId)
      if (sign !== undefined && !warned) {
        warned = true
        log.warn(
          { sign },
          'refused to treat a local caller as the owner: a proxy seems to be in front of this server',
        )
      }
      return sign === undefined && isCallerHere(request.raw) && isPageAllowed(request, settings, pages)
    },
  }
}

function isCallerHere({ socket, headers }: IncomingMessage): boolean {
  // A web page elsewhere can lead its own name to this machine, but not use one of ours.
  return isLoopback(socket.remoteAddress ?? '') && isLoopbackHost(headers.host ?? '')
}

/** Headers that proxies, tunnels and content networks add; an address or a name in them may be anybody's. */
const FORWARDING =
  /^(via|forwarded|x-forwarded(-.+)?|x-(real|client|cluster-client|originating|remote|envoy|azure|appengine)-.+|x-(scheme|url-scheme|original-.+|request-start|proxy-.+|arr-.+|amzn?-.+)|(true-)?client-ip|cf-.+|cdn-.+|fastly-.+|fly-.+|ngrok-.+|tailscale-.+|front-end-https|proxy-.+|x-?wap-.+)$/i

/** What shows that a request was carried here by a proxy, if anything does. */
function signOfProxy(request: IncomingMessage, userId: number | undefined): string | undefined {
  const { headers, httpVersion, socket } = request
  const header = Object.keys(headers).find((name) => FORWARDING.test(name))
  if (header !== undefined) return header
  // What nginx speaks to the server behind it unless told otherwise; browsers and command-line tools do not.
  if (httpVersion === '1.0') return 'HTTP/1.0'
  if (headers.connection?.toLowerCase() === 'close') return 'Connection: close'
  // A proxy mostly runs as a user of its own.
  const peer = userId === undefined ? undefined : userOfPeer(socket)
  return peer !== undefined && peer !== userId ? 'another user of this machine' : undefined
}

function isPageAllowed(request: FastifyRequest, settings: OwnerSettings, pages: Pages): boolean {
  const { origin, referer, 'sec-fetch-site': site } = request.headers
  if (referer !== undefined && !isLoopbackAddress(referer)) return false
  if (pages === 'own') return !isFromForeignPage(request, settings) && isFromOwnHost(request.headers)
  if (origin !== undefined) return isLoopbackAddress(origin)
  // Without an origin nothing reads the answer; what another site embeds gets none all the same.
  return site !== 'cross-site'
}

function isFromOwnHost({ referer, host }: IncomingHttpHeaders): boolean {
  return referer === undefined || new URL(referer).host === host
}

function isLoopbackAddress(address: string): boolean {
  return URL.canParse(address) && isLoopbackHost(new URL(address).host)
}
