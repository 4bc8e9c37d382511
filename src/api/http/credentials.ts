/** Reads HTTP Basic and bearer credentials, and compares secrets. */
import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { RingKey } from '../../project/key-ring.ts'
import { Refusal } from '../../protocol/errors.ts'

/** @throws {Refusal} UNAUTHORIZED if `header` does not contain an active key and its secret */
export function basicKey(header: string, find: (apiKey: string) => RingKey | undefined): RingKey {
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

/** The secret after `Bearer`; undefined if there is none. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1]
}

/** Compares in constant time, whatever the difference and the lengths. */
export function isSameText(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}
