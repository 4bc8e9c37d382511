/** Who may have a token without showing one: this machine's own people, or everybody when the operator says so. */
import { timingSafeEqual, createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { RingKey } from '../meeting/key-ring.ts'
import type { HttpContext } from './context.ts'
import { Refusal } from '../protocol/errors.ts'

const LOOPBACK_NAME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i
const LOOPBACK_ADDRESS = /^(127\.|::1$|::ffff:127\.)/

/**
 * Whether the caller sits at this machine: the listener is on loopback, the connection comes from there, and the name that
 * was asked for is a loopback name, so that a web page elsewhere cannot borrow the person's browser by a name of its own.
 */
export function isAtThisMachine(request: FastifyRequest, host: string): boolean {
  return (
    (host === 'localhost' || LOOPBACK_ADDRESS.test(host)) &&
    LOOPBACK_ADDRESS.test(request.socket.remoteAddress ?? '') &&
    LOOPBACK_NAME.test(request.headers.host ?? '')
  )
}

/**
 * The key that mints for this caller: the one of its Basic credentials; without any, the default one where that is
 * allowed (design, decision 8).
 * @throws {Refusal} UNAUTHORIZED
 */
export function mintingKey(
  request: FastifyRequest,
  context: Pick<HttpContext, 'settings' | 'keys'>,
): RingKey {
  const { settings, keys } = context
  const header = request.headers.authorization
  if (header !== undefined && header !== '') return basicKey(header, keys.find)
  if (!settings.openGetToken && !isAtThisMachine(request, settings.host)) {
    throw new Refusal('UNAUTHORIZED', {
      message: 'The API key and secret are required, as HTTP Basic credentials.',
    })
  }
  const key = keys.defaultKey()
  if (!key) throw new Refusal('UNAUTHORIZED', { message: 'There is no API key in force on this server.' })
  return key
}

function basicKey(header: string, find: (apiKey: string) => RingKey | undefined): RingKey {
  const [, encoded = ''] = /^basic\s+([A-Za-z0-9+/=]{1,4096})$/i.exec(header.trim()) ?? []
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const key = colon > 0 ? find(text.slice(0, colon)) : undefined
  const good = sameText(text.slice(colon + 1), key?.secret ?? '')
  if (!key || !good || key.revoked)
    throw new Refusal('UNAUTHORIZED', { message: 'The API key or secret is wrong.' })
  return key
}

/** Takes the same time wherever they differ, and whether or not their lengths do. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
