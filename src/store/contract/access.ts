export interface RevokedToken {
  projectId: string
  /** `jti:<id>` or `sha256:<digest>`, as a grant names its token. */
  tokenId: string
  revokedAt: number
}

export interface SignInRecord {
  /** SHA-256 of the cookie, hex. */
  tokenHash: string
  /** Null: made by an older version, and of no use. */
  operatorId: string | null
  /** The network address of the browser. */
  address: string
  /** Its `User-Agent`. */
  browser: string
  createdAt: number
  lastSeenAt: number
  expiresAt: number
}

export interface RevokedTokenStore {
  add(token: RevokedToken): Promise<void>
  list(): Promise<RevokedToken[]>
}

export interface SignInStore {
  add(signIn: SignInRecord): Promise<void>
  find(tokenHash: string): Promise<SignInRecord | undefined>
  /** Newest first; of one operator or of all. */
  list(operatorId?: string): Promise<SignInRecord[]>
  seen(tokenHash: string, at: number): Promise<void>
  drop(tokenHash: string): Promise<void>
  /** Deletes the sign-ins of an operator. */
  dropOf(operatorId: string): Promise<void>
  /** Deletes all sign-ins, or only those that expired at or before `expiredAt`. */
  dropAll(expiredAt?: number): Promise<void>
}
