/**
 * Seals secrets at rest with AES-256-GCM under the master key. The id of the owner is authenticated too, so a sealed secret
 * that was moved to another row does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const VERSION = 'v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

/** A sealed value does not open: the master key is another one, or the value was changed. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken'
}

export interface Seal {
  seal(plain: string, belongsTo: string): string
  /** @throws {SealBroken} */
  open(sealed: string, belongsTo: string): string
}

/** @param masterKey 32 bytes */
export function createSeal(masterKey: Buffer): Seal {
  if (masterKey.length !== KEY_BYTES) throw new RangeError(`The master key must have ${KEY_BYTES} bytes.`)
  return {
    seal(plain, belongsTo) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', masterKey, nonce)
      cipher.setAAD(Buffer.from(belongsTo))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return `${VERSION}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`
    },
    open(sealed, belongsTo) {
      const [version, text = ''] = sealed.split('.')
      const bytes = Buffer.from(text, 'base64url')
      if (version !== VERSION || bytes.length < NONCE_BYTES + TAG_BYTES)
        throw new SealBroken('The value is not sealed.')
      const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(belongsTo))
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      try {
        return Buffer.concat([
          decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
          decipher.final(),
        ]).toString('utf8')
      } catch (cause) {
        throw new SealBroken('The master key does not open the value.', { cause })
      }
    },
  }
}
