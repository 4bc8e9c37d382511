/** Verifies that a webhook comes from the server. */
import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { WebhookBody } from '../protocol/webhooks.ts'

/** The header that carries the signature. */
export const signatureHeader = 'videosdk-signature'

/** The webhook was not signed by the server, or is malformed. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError'
}

const keys = new Map<string, KeyObject>()
const MAX_KEYS = 16

/**
 * Verifies the signature of a webhook and returns its content.
 *
 * @param body the exact bytes received, before a framework parses them
 * @param signature the header `videosdk-signature`
 * @param publicKey of `client.webhooks.publicKey()`, PEM
 * @throws {WebhookError} if the signature is missing or wrong, or the body is not a webhook
 * @throws {TypeError} if the key is invalid
 */
export function verifyWebhook(
  body: string | Uint8Array,
  signature: string | readonly string[] | undefined,
  publicKey: string,
): WebhookBody {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body
  const key = keyOf(publicKey)
  if (typeof signature !== 'string' || !verify('RSA-SHA256', bytes, key, Buffer.from(signature, 'base64')))
    throw new WebhookError('the webhook is not signed by this server')
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    value = undefined
  }
  if (typeof (value as Partial<WebhookBody> | null | undefined)?.webhookType !== 'string')
    throw new WebhookError('the body is no webhook')
  return value as WebhookBody
}

function keyOf(publicKey: string): KeyObject {
  let key = keys.get(publicKey)
  if (!key) {
    try {
      key = createPublicKey(publicKey)
    } catch (cause) {
      throw new TypeError('publicKey must be a public key in PEM', { cause })
    }
    if (keys.size >= MAX_KEYS) keys.clear()
    keys.set(publicKey, key)
  }
  return key
}
