/**
 * Tokens: mints signed tokens from grants, and verifies tokens into grants or refusals.
 */
export {
  assertInScope,
  assertMayUseRest,
  entryOf,
  knownPermissions,
  refusalOfScope,
  refusalToJoin,
  type Entry,
  type Grant,
  type RestScope,
  type Role,
} from './grant.ts'
export {
  createMinter,
  maxDurationSeconds,
  mintToken,
  parseDuration,
  type Minter,
  type MinterOptions,
  type MintOptions,
  type TokenClaims,
} from './mint.ts'
export {
  createVerifier,
  type FindKey,
  type SigningKey,
  type Verifier,
  type VerifierOptions,
} from './verify.ts'
export { jtiOfBreakout, wasGivenFor } from './breakout.ts'
export { isOfKnock, jtiOfKnock } from './knock.ts'
export { jtiOfOperator, minterOf, operatorTokenId } from './minter.ts'
export { maxTokenBytes } from './jws.ts'
export { explainToken, type ExplainedClaim, type ExplainOptions, type Explanation } from './explain.ts'
