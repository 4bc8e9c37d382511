import { createPrivateKey, createPublicKey, generateKeyPair, sign, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { Secrets } from './webhook.ts'

const SECRET_NAME = 'webhook-signing-key'
const MODULUS_BITS = 2048

/** Signs bodies: RSA-SHA256 with PKCS#1 v1.5 padding (contract, rest-and-tokens §3.4). Creates the key on first use. */
export class Signer {
  readonly #secrets: Secrets
  #key: Promise<KeyObject> | undefined

  constructor(secrets: Secrets) {
    this.#secrets = secrets
  }

  /** Base64. */
  async sign(body: Buffer): Promise<string> {
    const key = await this.#privateKey()
    return new Promise((resolve, reject) => {
      sign('RSA-SHA256', body, key, (error, signature) =>
        error ? reject(error) : resolve(signature.toString('base64')),
      )
    })
  }

  /** PKCS#1 PEM, the format of every published sample. */
  async publicKey(): Promise<string> {
    // Derived from the private key each time, because a public key read from PKCS#1 cannot be exported as PKCS#1 again.
    return createPublicKey(await this.#privateKey())
      .export({ type: 'pkcs1', format: 'pem' })
      .toString()
  }

  #privateKey(): Promise<KeyObject> {
    this.#key ??= this.#open().catch((error: unknown) => {
      this.#key = undefined
      throw error
    })
    return this.#key
  }

  async #open(): Promise<KeyObject> {
    const kept = await this.#secrets.get(SECRET_NAME)
    if (kept !== undefined) return createPrivateKey(kept)
    const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: MODULUS_BITS })
    const made = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    // Of two first starts at once, both sign with the key of the faster one.
    return createPrivateKey(await this.#secrets.setIfAbsent(SECRET_NAME, made))
  }
}
