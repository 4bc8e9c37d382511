/**
 * A token becomes a grant or a refusal.
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

/** A key that signs tokens, as the verifier needs to know it. */
export interface SigningKey {
  /** The public id: the `apikey` claim. */
  apiKey: string
  projectId: string
  /** Signs as its UTF-8 bytes. */
  secret: string
  /** Tokens of a revoked key are refused with 4053, at once, cached or not. */
  revoked: boolean
}

/** Looks a key up in memory; it runs for every token, the cached ones as well. */
export type FindKey = (apiKey: string) => SigningKey | undefined

export interface VerifierOptions {
  findKey: FindKey
  /** Ms since the epoch. */
  now: () => number
  /** Accepts tokens without `exp` (`ALLOW_TOKENS_WITHOUT_EXPIRY`). Default false. */
  allowWithoutExpiry?: boolean
  /** How far the clocks of minter and verifier may disagree. Default 60 (docs/decisions/0005). */
  clockSkewSeconds?: number
  /** Whether this one token was revoked; runs for every token, the cached ones as well. Default: none was. */
  isRevoked?: (grant: Grant) => boolean
  /** How many verified tokens are remembered, so that their signatures are not worked out again. Default 0: none. */
  cacheSize?: number
}

export interface Verifier {
  /**
   * What the token says, once everything about it is found to be right.
   *
   * @param token as it came, without `Bearer`; anything but a string is refused
   * @param options.outOfTime also one whose time is over, or was before the clock was set back, for who may come back with it (docs/decisions/0005)
   * @throws {Refusal} `INVALID_API_KEY` (4001), `INVALID_TOKEN` (4002), `INVALID_PARTICIPANT_ID` (4004) or
   * `APIKEY_DEACTIVATED` (4053); `reason` says what was wrong and holds nothing of the token
   */
  verify(token: unknown, options?: { outOfTime?: boolean }): Grant
  /** Why a grant that was given before is no good any more: its key or its token was revoked since. */
  refusalSince(grant: Grant): Refusal | undefined
  /** Forgets all remembered tokens. Never needed for expiry, revocation or rotation: those are looked at every time. */
  clear(): void
  /** How many tokens are remembered. */
  readonly cached: number
}

interface Remembered {
  grant: Grant
  times: TokenTimes
  key: SigningKey
  secret: string
}

// Signs nothing: its turn comes when the key of a token is unknown, so that a stranger cannot tell that by the time it takes.
const nobody: SigningKey = { apiKey: '', projectId: '', secret: 'nobody', revoked: false }

const prepared = new WeakMap<SigningKey, { secret: string; key: HmacKey }>()

function preparedKey(signingKey: SigningKey): HmacKey {
  const known = prepared.get(signingKey)
  if (known?.secret === signingKey.secret) return known.key
  const key = prepareKey(signingKey.secret)
  prepared.set(signingKey, { secret: signingKey.secret, key })
  return key
}

/** Makes the verifier of a server. */
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

/** The claims of a token with a good signature by a known key in use. */
function open(token: unknown, findKey: FindKey): { claims: Record<string, unknown>; key: SigningKey } {
  const { signature, signedText, claims } = readUnverified(token)

  // The only claim believed before the signature is checked, because it names the secret to check it with.
  const apiKey = claims.apikey
  const named = typeof apiKey === 'string' && apiKey !== ''
  const found = named ? findKey(apiKey) : undefined
  // HMAC with an empty secret can be worked out by anybody.
  const key = found !== undefined && found.secret !== '' ? found : undefined
  const signed = isSignedBy(preparedKey(key ?? nobody), signedText, signature)
  // Looked at in both cases, for the same reason.
  const wrong = signed || isCanonicalBase64url(signature) ? 'signature' : 'base64url'
  if (key === undefined) throw new Refusal('INVALID_API_KEY', { reason: named ? 'unknown-key' : 'apikey' })
  if (!signed) throw malformed(wrong)
  if (key.revoked) throw new Refusal('APIKEY_DEACTIVATED', { reason: 'revoked-key' })
  return { claims, key }
}

/** What a token claims, well formed but true only if the signature is. */
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

/** Names a token for good without giving it away: by its `jti`, or by its digest where it has none (docs/decisions/0004). */
export function tokenIdOf(claims: Record<string, unknown>, token: string): string {
  const jti = claims.jti
  return typeof jti === 'string' && jti !== '' ? `jti:${jti}` : `sha256:${hash('sha256', token)}`
}
