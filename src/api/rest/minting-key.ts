import type { FastifyRequest } from 'fastify'
import type { RingKey } from '../../project/key-ring.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { HttpContext } from '../context.ts'
import { basicKey } from '../http/credentials.ts'

/**
 * Returns the key that mints tokens for this caller: that of its Basic credentials; without credentials, the default
 * key, for the owner of this server or if the operator allows it (docs/decisions/0008).
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
  if (!key) throw new Refusal('UNAUTHORIZED', { message: 'This server has no active API key.' })
  return key
}
