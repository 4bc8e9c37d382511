/** Which credentials are valid: verified tokens, revoked tokens, and changes by other processes. */
import type { Config } from '../config/read.ts'
import type { KeyRing } from '../project/key-ring.ts'
import { RevokedTokens } from '../project/revoked-tokens.ts'
import type { Store } from '../store/store.ts'
import { createVerifier, type Verifier } from '../token/token.ts'

/** Verified tokens that are remembered, so that the next request with one costs no signature. */
const VERIFIED_TOKENS = 10_000

export interface Access {
  verifier: Verifier
  revokedTokens: RevokedTokens
}

export async function openAccess(
  { allowTokensWithoutExpiry: allowWithoutExpiry }: Config,
  { store, keyRing, now }: { store: Store; keyRing: KeyRing; now: () => number },
): Promise<Access> {
  const revokedTokens = new RevokedTokens({ store, now })
  await revokedTokens.refresh()
  const judge = createVerifier({
    findKey: keyRing.find,
    isRevoked: (grant) => revokedTokens.has(grant),
    now,
    allowWithoutExpiry,
    cacheSize: VERIFIED_TOKENS,
  })
  const verifier: Verifier = {
    ...judge,
    get cached() {
      return judge.cached
    },
    verify: (token, options) => {
      const grant = judge.verify(token, options)
      keyRing.used(grant.apiKey)
      return grant
    },
  }
  return { verifier, revokedTokens }
}
