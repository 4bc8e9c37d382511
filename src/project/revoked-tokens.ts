/** Caches revoked tokens in memory, so that verifying needs no query. Refreshed from the store, because other processes revoke too. */
import type { RevokedToken, Store } from '../store/store.ts'
import { minterOf, operatorTokenId, type Grant } from '../token/token.ts'
import { Refusal } from '../protocol/errors.ts'

export interface RevokedTokensOptions {
  store: Store
  now: () => number
}

/** Per project. A project that needs more has a leaked key, and should rotate it. */
const MAX_TOKENS = 10_000

export class RevokedTokens {
  readonly #options: RevokedTokensOptions
  readonly #tokens = new Map<string, RevokedToken>()

  constructor(options: RevokedTokensOptions) {
    this.#options = options
  }

  /** Whether a token was revoked, or the operator who minted it lost the authority to. */
  has({ projectId, tokenId }: Pick<Grant, 'projectId' | 'tokenId'>): boolean {
    const minter = minterOf({ tokenId })
    return (
      this.#tokens.has(keyOf(projectId, tokenId)) ||
      (minter !== undefined && this.#tokens.has(keyOf(projectId, minter)))
    )
  }

  /** Newest first. */
  list(projectId: string): RevokedToken[] {
    return [...this.#tokens.values()].filter((token) => token.projectId === projectId).reverse()
  }

  /** Reads them again and returns the new ones. They are kept for ever, because the expiry of the tokens is unknown. */
  async refresh(): Promise<RevokedToken[]> {
    const fresh = (await this.#options.store.revokedTokens.list()).filter((token) => !this.has(token))
    for (const token of fresh) this.#tokens.set(keyOf(token.projectId, token.tokenId), token)
    return fresh
  }

  /**
   * The token is refused from the moment the promise resolves. @throws {Refusal} INVALID_STATE if the project has
   * reached its limit
   */
  async add(projectId: string, tokenId: string): Promise<RevokedToken> {
    const there = this.#tokens.get(keyOf(projectId, tokenId))
    if (there) return there
    if (this.list(projectId).length >= MAX_TOKENS) {
      throw new Refusal('INVALID_STATE', {
        message: `The project has reached its limit of ${MAX_TOKENS} revoked tokens; rotate its API key instead.`,
      })
    }
    return this.#add(projectId, tokenId)
  }

  /** Revokes what an operator has minted and invited in a project, whatever the limit. */
  addOperator(projectId: string, grantId: string): Promise<RevokedToken> {
    return this.#add(projectId, operatorTokenId(grantId))
  }

  async #add(projectId: string, tokenId: string): Promise<RevokedToken> {
    const token = { projectId, tokenId, revokedAt: this.#options.now() }
    await this.#options.store.revokedTokens.add(token)
    this.#tokens.set(keyOf(projectId, tokenId), token)
    return token
  }
}

const keyOf = (projectId: string, tokenId: string): string => `${projectId} ${tokenId}`
