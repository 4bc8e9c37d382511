/** The second factor of operators: one-time codes of an authenticator app (RFC 6238), and recovery codes. */
import { Secret, TOTP } from 'otpauth'
import { digest } from './digest.ts'

const PERIOD_SECONDS = 30
const SECRET_BYTES = 20
/** Codes of the period before and after are taken too: clocks differ, and people type slowly. */
const WINDOW = 1
const RECOVERY_CODES = 10
const RECOVERY_BYTES = 10
/** Crockford's letters: none looks like another. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'

type RandomBytes = (size: number) => Buffer

export const newTotpSecret = (randomBytes: RandomBytes): string =>
  new Secret({ buffer: Uint8Array.from(randomBytes(SECRET_BYTES)).buffer }).base32

/** The address that an authenticator app takes, as text or as a QR code. */
export const totpAddress = (secret: string, issuer: string, label: string): string =>
  new TOTP({ issuer, label, secret, period: PERIOD_SECONDS }).toString()

/** The period to which a code belongs, counted from the epoch; undefined if the code is wrong. */
export function totpStep(secret: string, code: string, now: number): number | undefined {
  const delta = new TOTP({ secret, period: PERIOD_SECONDS }).validate({
    token: code,
    timestamp: now,
    window: WINDOW,
  })
  return delta === null ? undefined : Math.floor(now / 1000 / PERIOD_SECONDS) + delta
}

/** Ten codes of 80 random bits, such as `7k3m-q9xz-0a2b-c4de`. */
export function newRecoveryCodes(randomBytes: RandomBytes): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    let bits = BigInt(`0x${randomBytes(RECOVERY_BYTES).toString('hex')}`)
    let text = ''
    for (let at = 0; at < (RECOVERY_BYTES * 8) / 5; at++, bits >>= 5n) text += LETTERS[Number(bits & 31n)]!
    return text.match(/.{4}/g)!.join('-')
  })
}

/** The hash under which a recovery code is stored, however it was typed. */
export const recoveryHash = (code: string): string =>
  digest(`recovery:${code.toLowerCase().replaceAll(/[^0-9a-z]/g, '')}`)

/** Whether a text is meant as a code of an app, and not as a recovery code. */
export const isAppCode = (text: string): boolean => /^\d{6}$/.test(text.replaceAll(' ', ''))
