/**
 * Decides who may act as the owner of this server without credentials (docs/decisions/0008 and 0013): a person at its machine,
 * as long as only this machine can reach it. The one rule for tokens without credentials, starting meetings and metrics.
 *
 * Behind a proxy, every connection comes from this machine, so any sign of a proxy ends the privilege. A proxy that adds
 * no headers, speaks HTTP/1.1 and runs as the same user as the server looks like a person at this machine. The start warns
 * if that is likely; PUBLIC_URL or TRUSTED_PROXIES ends the privilege for good.
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
 * Which pages may send the request: `own`, pages of this server; `ofThisMachine`, also pages of other servers on this machine, as an app
 * under development calls its token server.
 */
export type Pages = 'own' | 'ofThisMachine'

export interface Owner {
  isHere(request: FastifyRequest, pages: Pages): boolean
}

export interface OwnerOptions {
  settings: OwnerSettings
  /** The user of this process, if the system has user ids. */
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
  // A foreign site can make its own host name resolve to this machine, but it cannot use one of ours.
  return isLoopback(socket.remoteAddress ?? '') && isLoopbackHost(headers.host ?? '')
}

/** Headers that proxies, tunnels and content networks add. */
const FORWARDING =
  /^(via|forwarded|x-forwarded(-.+)?|x-(real|client|cluster-client|originating|remote|envoy|azure|appengine)-.+|x-(scheme|url-scheme|original-.+|request-start|proxy-.+|arr-.+|amzn?-.+)|(true-)?client-ip|cf-.+|cdn-.+|fastly-.+|fly-.+|ngrok-.+|tailscale-.+|front-end-https|proxy-.+|x-?wap-.+)$/i

/** The sign that a proxy forwarded a request, if there is one. */
function signOfProxy(request: IncomingMessage, userId: number | undefined): string | undefined {
  const { headers, httpVersion, socket } = request
  const header = Object.keys(headers).find((name) => FORWARDING.test(name))
  if (header !== undefined) return header
  // By default, nginx uses HTTP/1.0 towards its backend; browsers and command-line tools do not use it.
  if (httpVersion === '1.0') return 'HTTP/1.0'
  if (headers.connection?.toLowerCase() === 'close') return 'Connection: close'
  // A proxy usually runs as another user.
  const peer = userId === undefined ? undefined : userOfPeer(socket)
  return peer !== undefined && peer !== userId ? 'another user of this machine' : undefined
}

function isPageAllowed(request: FastifyRequest, settings: OwnerSettings, pages: Pages): boolean {
  const { origin, referer, 'sec-fetch-site': site } = request.headers
  if (referer !== undefined && !isLoopbackAddress(referer)) return false
  if (pages === 'own') return !isFromForeignPage(request, settings) && isFromOwnHost(request.headers)
  if (origin !== undefined) return isLoopbackAddress(origin)
  // Without an origin, no page can read the answer. A request embedded in another site is still refused.
  return site !== 'cross-site'
}

function isFromOwnHost({ referer, host }: IncomingHttpHeaders): boolean {
  return referer === undefined || new URL(referer).host === host
}

function isLoopbackAddress(address: string): boolean {
  return URL.canParse(address) && isLoopbackHost(new URL(address).host)
}
