/**
 * Names the operator behind a token. An operator who acts over REST has the token id `operator:<grantId>`, and each token that
 * an operator mints has it in its `jti`, so that revoking this one id ends all of them.
 */
import type { Grant } from './grant.ts'

/** The token id of an operator who acts without a token. */
export const operatorTokenId = (grantId: string): string => `operator:${grantId}`

/**
 * The `jti` of a token that an operator mints.
 * @param unique makes the id unique
 */
export const jtiOfOperator = (grantId: string, unique: string): string => `operator:${grantId}:${unique}`

const MINTED = /^jti:(operator:[0-9a-f]{24}):/

/** The token id of the operator who minted a token, if one did. */
export function minterOf({ tokenId }: Pick<Grant, 'tokenId'>): string | undefined {
  // Called for every token: most are told apart without the pattern.
  return tokenId.startsWith('jti:operator:') ? MINTED.exec(tokenId)?.[1] : undefined
}
