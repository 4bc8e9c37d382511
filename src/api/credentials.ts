/** API keys and secrets as HTTP Basic credentials, and secrets compared. */
import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { RingKey } from '../meeting/key-ring.ts'
import type { HttpContext } from './context.ts'
import { Refusal } from '../protocol/errors.ts'

/**
 * The key that mints for this caller: the one of its Basic credentials; without any, the default one, for the owner of this
 * server or where the operator says so (design, decision 8).
 * @throws {Refusal} UNAUTHORIZED
 */
export function mintingKey(
  request: FastifyRequest,
  { settings, keys, owner }: Pick<HttpContext, 'settings' | 'keys' | 'owner'>,
): RingKey {
  const header = request.headers.authorization
  if (header !== undefined && header !== '') return basicKey(header, keys.find)
  if (!settings.openGetToken && !owner.isHere(request, 'ofThisMachine')) {
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
  const good = isSameText(text.slice(colon + 1), key?.secret ?? '')
  if (!key || !good || key.revoked)
    throw new Refusal('UNAUTHORIZED', { message: 'The API key or secret is wrong.' })
  return key
}

const BEARER = /^\s*bearer\s+(\S+)\s*$/i

/** The secret after `Bearer`; undefined where none is shown so. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1]
}

/** Takes the same time wherever they differ, and whether or not their lengths do. */
export function isSameText(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}
