/** Keys of end-to-end encryption, from what people share (docs/encryption.md). The server never gets any of this. */

/** What the people of a meeting share: a passphrase, or random bytes. */
export type SharedKey = string | Uint8Array<ArrayBuffer>

export interface MeetingKey {
  /** Seals frames: AES-GCM with 256 bits. */
  frames: CryptoKey
  /** One byte that travels with each frame, so that a receiver finds the key. */
  id: number
  /** Twelve digits. People who read the same digits have the same key. */
  phrase: string
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
export async function keyFor(shared: SharedKey, meetingId: string): Promise<MeetingKey> {
  const salt = utf8.encode(`anteroom end-to-end encryption 1\0${meetingId}`)
  const secret = typeof shared === 'string' ? await stretched(shared, salt) : shared
  const root = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey', 'deriveBits'])
  const from = (info: string) => ({ name: 'HKDF', hash: 'SHA-256', salt, info: utf8.encode(info) })
  const bytes = async (info: string, length: number) =>
    new Uint8Array(await crypto.subtle.deriveBits(from(info), root, length * 8))
  const [frames, ids, digits] = await Promise.all([
    crypto.subtle.deriveKey(from('frames'), root, { name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]),
    bytes('key id', 1),
    bytes('phrase', 8),
  ])
  const number = new DataView(digits.buffer).getBigUint64(0) % 1_000_000_000_000n
  const phrase = String(number)
    .padStart(12, '0')
    .replace(/(\d{4})(?=\d)/g, '$1 ')
  return { frames, id: ids[0]!, phrase }
}

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
