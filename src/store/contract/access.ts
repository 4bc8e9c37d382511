export interface RevokedToken {
  projectId: string
  /** `jti:<id>` or `sha256:<digest>`, as a grant names its token. */
  tokenId: string
  revokedAt: number
}

export interface SignInRecord {
  /** SHA-256 of the cookie, hex. */
  tokenHash: string
  createdAt: number
  expiresAt: number
}

export interface RevokedTokenStore {
  add(token: RevokedToken): Promise<void>
  list(): Promise<RevokedToken[]>
}

export interface SignInStore {
  add(signIn: SignInRecord): Promise<void>
  find(tokenHash: string): Promise<SignInRecord | undefined>
  drop(tokenHash: string): Promise<void>
  /** Deletes all sign-ins, or only those that expired at or before `expiredAt`. */
  dropAll(expiredAt?: number): Promise<void>
}
