/**
 * Verifies a token and returns its grant, or refuses it.
 */
import { hash } from 'node:crypto'
import { Refusal } from '../protocol/errors.ts'
import { Cache } from './cache.ts'
import { assertCurrent, grantOf, timesOf, type ClaimRules, type Grant, type TokenTimes } from './grant.ts'
import {
  checkHeader,
  decodeObject,
  isCanonicalBase64url,
  isSignedBy,
  malformed,
  prepareKey,
  splitCompact,
  type HmacKey,
} from './jws.ts'

/** A key that signs tokens, as the verifier needs it. */
export interface SigningKey {
  /** The public id: the `apikey` claim. */
  apiKey: string
  projectId: string
  /** Its UTF-8 bytes are the signing key. */
  secret: string
  /** Tokens of a revoked key are refused with 4053, at once, cached or not. */
  revoked: boolean
}

/** Looks up a key in memory; called for every token, cached or not. */
export type FindKey = (apiKey: string) => SigningKey | undefined

export interface VerifierOptions {
  findKey: FindKey
  /** Ms since the epoch. */
  now: () => number
  /** Accepts tokens without `exp` (`ALLOW_TOKENS_WITHOUT_EXPIRY`). Default false. */
  allowWithoutExpiry?: boolean
  /** Allowed difference between the clocks of minter and verifier. Default 60 (docs/decisions/0005). */
  clockSkewSeconds?: number
  /** Whether this token was revoked; called for every token, cached or not. Default: no token was. */
  isRevoked?: (grant: Grant) => boolean
  /** How many verified tokens are cached, so that their signatures need not be computed again. Default 0. */
  cacheSize?: number
}

export interface Verifier {
  /**
   * Checks everything about the token and returns its grant.
   *
   * @param token as received, without `Bearer`; anything but a string is refused
   * @param options.outOfTime also accepts a token that has expired or is not valid yet, for participants who may return with it (docs/decisions/0005)
   * @throws {Refusal} `INVALID_API_KEY` (4001), `INVALID_TOKEN` (4002), `INVALID_PARTICIPANT_ID` (4004) or
   * `APIKEY_DEACTIVATED` (4053); `reason` says what was wrong and contains no part of the token
   */
  verify(token: unknown, options?: { outOfTime?: boolean }): Grant
  /** Returns why an earlier grant is no longer valid, if its key or token has been revoked since. */
  refusalSince(grant: Grant): Refusal | undefined
  /** Clears the cache. Not needed for expiry, revocation or rotation: those are checked every time. */
  clear(): void
  /** The number of cached tokens. */
  readonly cached: number
}

interface Remembered {
  grant: Grant
  times: TokenTimes
  key: SigningKey
  secret: string
}

// Used when the key of a token is unknown, so that the time of an answer does not reveal which keys exist.
const nobody: SigningKey = { apiKey: '', projectId: '', secret: 'nobody', revoked: false }

const prepared = new WeakMap<SigningKey, { secret: string; key: HmacKey }>()

function preparedKey(signingKey: SigningKey): HmacKey {
  const known = prepared.get(signingKey)
  if (known?.secret === signingKey.secret) return known.key
  const key = prepareKey(signingKey.secret)
  prepared.set(signingKey, { secret: signingKey.secret, key })
  return key
}

/** Creates a verifier. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { findKey, now, allowWithoutExpiry = false, clockSkewSeconds = 60, cacheSize = 0 } = options
  const { isRevoked = () => false } = options
  if (!(clockSkewSeconds >= 0 && clockSkewSeconds < Infinity)) {
    throw new TypeError('clockSkewSeconds must be a number of seconds')
  }
  const cache = new Cache<Remembered>(cacheSize)
  const rules = (outOfTime: boolean): ClaimRules => ({
    now: now(),
    allowWithoutExpiry,
    clockSkewSeconds,
    outOfTime,
  })

  function verify(token: unknown, { outOfTime = false }: { outOfTime?: boolean } = {}): Grant {
    if (cacheSize > 0 && typeof token === 'string') {
      const remembered = cache.get(token)
      if (remembered !== undefined) {
        const { key, secret, times, grant } = remembered
        if (findKey(grant.apiKey) === key && key.secret === secret && !key.revoked) {
          assertCurrent(times, rules(outOfTime))
          if (isRevoked(grant)) throw malformed('revoked')
          return grant
        }
        cache.delete(token)
      }
    }

    const { claims, key } = open(token, findKey)
    const times = timesOf(claims)
    assertCurrent(times, rules(outOfTime))
    const grant = grantOf(claims, key, times, tokenIdOf(claims, token as string))
    if (isRevoked(grant)) throw malformed('revoked')
    if (cacheSize > 0) cache.set(token as string, { grant, times, key, secret: key.secret })
    return grant
  }

  function refusalSince(grant: Grant): Refusal | undefined {
    const key = findKey(grant.apiKey)
    if (!key || key.revoked) return new Refusal('APIKEY_DEACTIVATED', { reason: 'revoked-key' })
    return isRevoked(grant) ? malformed('revoked') : undefined
  }

  return {
    verify,
    refusalSince,
    clear: () => cache.clear(),
    get cached() {
      return cache.size
    },
  }
}

/** The claims of a token with a valid signature by a known, active key. */
function open(token: unknown, findKey: FindKey): { claims: Record<string, unknown>; key: SigningKey } {
  const { signature, signedText, claims } = readUnverified(token)

  // The only claim used before the signature is checked, because it selects the secret for that check.
  const apiKey = claims.apikey
  const named = typeof apiKey === 'string' && apiKey !== ''
  const found = named ? findKey(apiKey) : undefined
  // Anybody can compute HMAC with an empty secret.
  const key = found !== undefined && found.secret !== '' ? found : undefined
  const signed = isSignedBy(preparedKey(key ?? nobody), signedText, signature)
  // Checked in both cases, for the same reason.
  const wrong = signed || isCanonicalBase64url(signature) ? 'signature' : 'base64url'
  if (key === undefined) throw new Refusal('INVALID_API_KEY', { reason: named ? 'unknown-key' : 'apikey' })
  if (!signed) throw malformed(wrong)
  if (key.revoked) throw new Refusal('APIKEY_DEACTIVATED', { reason: 'revoked-key' })
  return { claims, key }
}

/** The well-formed claims of a token; true only if the signature is valid. */
export interface UnverifiedToken {
  claims: Record<string, unknown>
  signature: string
  signedText: string
}

/** @throws {Refusal} `INVALID_TOKEN` with a reason of `splitCompact`, `checkHeader` or `decodeObject` */
export function readUnverified(token: unknown): UnverifiedToken {
  const { header, payload, signature, signedText } = splitCompact(token)
  checkHeader(header)
  return { claims: decodeObject(payload), signature, signedText }
}

/** A permanent id for a token that does not reveal it: its `jti`, or its digest if it has none (docs/decisions/0004). */
export function tokenIdOf(claims: Record<string, unknown>, token: string): string {
  const jti = claims.jti
  return typeof jti === 'string' && jti !== '' ? `jti:${jti}` : `sha256:${hash('sha256', token)}`
}
