/** Whether a request that shows no credentials was really made by this machine's own people. */
import type { FastifyRequest } from 'fastify'
import type { HttpSettings } from './context.ts'
import { Refusal } from '../protocol/errors.ts'
import { isAtThisMachine } from './guard.ts'

const LOOPBACK_HOST = /^(localhost|[a-z0-9-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i
const LOOPBACK_ADDRESS = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+|localhost)$/i

/**
 * Whether a request was carried here for somebody else, although the connection comes from this machine and asks for a
 * loopback name: by a browser, for a page of another address (any origin may read our answers), or by a proxy.
 */
export function isCarriedFromElsewhere(request: FastifyRequest): boolean {
  const { headers } = request
  const { origin, via, forwarded } = headers
  if (origin !== undefined && !LOOPBACK_HOST.test(/^https?:\/\/(.*)$/i.exec(origin)?.[1] ?? '')) return true
  if (via !== undefined || forwarded !== undefined) return true
  // The development proxies of web frameworks forward for this machine, and say so in these.
  const addresses = [headers['x-forwarded-for'], headers['x-real-ip']].flatMap((value) =>
    String(value ?? 'localhost').split(','),
  )
  const names = String(headers['x-forwarded-host'] ?? 'localhost').split(',')
  return (
    !addresses.every((address) => LOOPBACK_ADDRESS.test(address.trim())) ||
    !names.every((name) => LOOPBACK_HOST.test(name.trim()))
  )
}

/** Whether this server may act for the caller as for its owner, with no credentials shown (design, decisions 8 and 13). */
export function isOwnerHere(
  request: FastifyRequest,
  { host, publicUrl }: Pick<HttpSettings, 'host' | 'publicUrl'>,
): boolean {
  // Behind a proxy every connection comes from this machine.
  if (publicUrl !== undefined && !LOOPBACK_HOST.test(new URL(publicUrl).host)) return false
  return isAtThisMachine(request, host) && !isCarriedFromElsewhere(request)
}

/** @throws {Refusal} UNAUTHORIZED when a request shows no credentials and nothing excuses it from that */
export function assertMayAskOpenly(
  request: FastifyRequest,
  settings: Pick<HttpSettings, 'host' | 'publicUrl' | 'openGetToken'>,
): void {
  if (settings.openGetToken || (request.headers.authorization ?? '') !== '') return
  if (isOwnerHere(request, settings)) return
  throw new Refusal('UNAUTHORIZED', {
    message: 'The API key and secret are required, as HTTP Basic credentials.',
  })
}
