/** Keys of end-to-end encryption, from what people share (docs/encryption.md). The server never gets any of this. */

/** What the people of a meeting share: a passphrase, or random bytes. */
export type SharedKey = string | Uint8Array<ArrayBuffer>

export interface MeetingKey {
  /** Seals frames: AES-GCM with 256 bits. */
  frames: CryptoKey
  /** One byte that travels with each frame, so that a receiver finds the key. */
  id: number
}

/** What follows from the shared key. It seals no frame by itself: the people who are present agree on that key (`group.ts`). */
export interface GroupKey {
  /** Twelve digits. People who read the same digits have the same shared key. */
  phrase: string
  /** A code for a text that only those with the shared key can make. */
  prove(text: string): Promise<Uint8Array<ArrayBuffer>>
  /** Seals what one sends to another: from a secret of the two, and the shared key. */
  between(secret: Uint8Array<ArrayBuffer>, info: string): Promise<CryptoKey>
  /** The key for frames: from a secret of those who are present, and the shared key. */
  framesOf(secret: Uint8Array<ArrayBuffer>): Promise<MeetingKey>
}

/** OWASP's minimum for PBKDF2 with SHA-256. */
const ITERATIONS = 600_000
const MIN_KEY_BYTES = 16
const MIN_PASSPHRASE = 8
const utf8 = new TextEncoder()

/** Why this cannot be a key, as the rest of a sentence. */
export function problemOfKey(key: SharedKey): string | undefined {
  if (typeof key === 'string')
    return key.length < MIN_PASSPHRASE ? `must have at least ${MIN_PASSPHRASE} characters` : undefined
  return key.length < MIN_KEY_BYTES ? `must have at least ${MIN_KEY_BYTES} bytes` : undefined
}

/** The same passphrase gives another key in each meeting. */
export async function groupKey(shared: SharedKey, meetingId: string): Promise<GroupKey> {
  const salt = utf8.encode(`anteroom end-to-end encryption 2\0${meetingId}`)
  const root = await hkdf(typeof shared === 'string' ? await stretched(shared, salt) : shared)
  const [proofs, mixed, digits] = await Promise.all([
    crypto.subtle.deriveKey(
      from(salt, 'proofs'),
      root,
      { name: 'HMAC', hash: 'SHA-256', length: 256 },
      false,
      ['sign'],
    ),
    bits(root, from(salt, 'mixed with other secrets'), 32),
    bits(root, from(salt, 'phrase'), 8),
  ])
  const number = new DataView(digits.buffer).getBigUint64(0) % 1_000_000_000_000n
  return {
    phrase: String(number)
      .padStart(12, '0')
      .replace(/(\d{4})(?=\d)/g, '$1 '),
    prove: async (text) => new Uint8Array(await crypto.subtle.sign('HMAC', proofs, utf8.encode(text))),
    between: async (secret, info) => frameKey(await hkdf(secret), from(mixed, `between\0${info}`)),
    framesOf: async (secret) => {
      const material = await hkdf(secret)
      const [frames, ids] = await Promise.all([
        frameKey(material, from(mixed, 'frames')),
        bits(material, from(mixed, 'key id'), 1),
      ])
      return { frames, id: ids[0]! }
    },
  }
}

/** One that nobody else has: what it seals, nobody opens. */
export async function nobodysKey(): Promise<MeetingKey> {
  const frames = await crypto.subtle.generateKey(AES, false, ['encrypt', 'decrypt'])
  return { frames, id: 0 }
}

type Bytes = Uint8Array<ArrayBuffer>
const AES = { name: 'AES-GCM', length: 256 } as const

const hkdf = (secret: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey', 'deriveBits'])

const from = (salt: Bytes, info: string) => ({
  name: 'HKDF',
  hash: 'SHA-256',
  salt,
  info: utf8.encode(info),
})

const bits = async (key: CryptoKey, how: ReturnType<typeof from>, length: number): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.deriveBits(how, key, length * 8))

const frameKey = (key: CryptoKey, how: ReturnType<typeof from>): Promise<CryptoKey> =>
  crypto.subtle.deriveKey(how, key, AES, false, ['encrypt', 'decrypt'])

/** Slow on purpose, so that a weak passphrase is not found by trying. */
async function stretched(
  passphrase: string,
  salt: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const text = utf8.encode(passphrase.normalize('NFC'))
  const material = await crypto.subtle.importKey('raw', text, 'PBKDF2', false, ['deriveBits'])
  const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ITERATIONS }
  return new Uint8Array(await crypto.subtle.deriveBits(pbkdf2, material, 256))
}
