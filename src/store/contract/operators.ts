/** `viewer` reads; `operator` also changes projects, keys and meetings; `owner` also decides who may sign in. */
export type OperatorRole = 'viewer' | 'operator' | 'owner'

/** Somebody who signs in to the dashboard. */
export interface OperatorRecord {
  operatorId: string
  /** The name for signing in; unique, whatever the case of its letters. */
  name: string
  role: OperatorRole
  /** The password as `keepPassword` makes it; null: none yet. Sealed in the database. */
  password: string | null
  /** Stands in the tokens and invites that the operator makes; changes when the role is lowered, so that they can be revoked. */
  grantId: string
  createdAt: number
  /** Since when signing in takes a code too; null: it does not. */
  totpSince: number | null
  /** Who the operator is for the provider by which they sign in; null: they sign in here. */
  externalId: string | null
}

/** A link by which somebody becomes an operator, or by which an operator chooses a new password. */
export interface OperatorInvite {
  /** SHA-256 of the code, hex. */
  codeHash: string
  inviteId: string
  /** The operator who chooses a new password; null: the link makes a new operator. */
  operatorId: string | null
  name: string
  role: OperatorRole
  /** The owner who made it; null: the admin key. */
  invitedBy: string | null
  createdAt: number
  expiresAt: number
}

export interface OperatorChange {
  name?: string
  role?: OperatorRole
  password?: string | null
  /** Given with a lower role. */
  grantId?: string
}

/** How what an operator minted is revoked, in the transaction that takes the authority away. */
export interface GrantEnd {
  /** The id under which the tokens of a grant are revoked. */
  tokenIdOf: (grantId: string) => string
  at: number
}

/** Why an operator cannot be changed or deleted: without it there would be no owner who can sign in. */
export type LastOwner = 'last-owner'

/** The second factor of an operator. */
export interface TotpStore {
  /** The secret, confirmed or not. */
  secret(operatorId: string): Promise<string | undefined>
  /** Keeps a secret that is not confirmed yet. Returns false if one is in force, or there is no such operator. */
  begin(operatorId: string, secret: string): Promise<boolean>
  /** Puts the secret in force, with recovery codes. Returns false if it is no longer the one to confirm. */
  confirm(
    operatorId: string,
    how: { secret: string; at: number; step: number; codeHashes: readonly string[] },
  ): Promise<boolean>
  /** Uses a period up. Returns false if it or a later one was used: of two uses at once, one succeeds. */
  use(operatorId: string, step: number): Promise<boolean>
  /** Uses a recovery code up. Returns false if it is not there. */
  useRecoveryCode(operatorId: string, codeHash: string): Promise<boolean>
  /** Returns false if no secret is in force. */
  replaceRecoveryCodes(operatorId: string, codeHashes: readonly string[]): Promise<boolean>
  recoveryCodesLeft(operatorId: string): Promise<number>
  /** Returns false if there was nothing to delete. */
  drop(operatorId: string): Promise<boolean>
}

export interface OperatorStore {
  totp: TotpStore
  /** The owner who was there first. Adds `first` if there is no operator, and gives it the sign-ins that exist. */
  firstOwner(first: () => Promise<OperatorRecord>): Promise<OperatorRecord>
  /** Oldest first. */
  list(): Promise<OperatorRecord[]>
  get(operatorId: string): Promise<OperatorRecord | undefined>
  named(name: string): Promise<OperatorRecord | undefined>
  /** The operator whom the provider knows by this id. */
  external(externalId: string): Promise<OperatorRecord | undefined>
  /** @throws {StoreConflict} if another operator has the name or the external id */
  add(operator: OperatorRecord): Promise<void>
  /**
   * Returns the operator after the change, or undefined if there is none. A lower role ends the links that the operator made.
   * @param end given with a new `grantId`: revokes what was minted under the old one, in every project
   * @throws {StoreConflict} if another operator has the name
   */
  change(
    operatorId: string,
    change: OperatorChange,
    end?: GrantEnd,
  ): Promise<OperatorRecord | LastOwner | undefined>
  /** Deletes an operator with its sign-ins and links, and revokes what it minted. Returns the operator as it was, or undefined if there is none. */
  delete(operatorId: string, end: GrantEnd): Promise<OperatorRecord | LastOwner | undefined>
  addInvite(invite: OperatorInvite): Promise<void>
  /** Newest first. */
  invites(): Promise<OperatorInvite[]>
  invite(codeHash: string): Promise<OperatorInvite | undefined>
  dropInvite(inviteId: string): Promise<boolean>
  /** Deletes links that expired at or before `expiredAt`. */
  dropInvites(expiredAt: number): Promise<void>
  /**
   * Uses a link up: adds the operator, or replaces the password of the one that the link names and ends its sign-ins. Returns
   * undefined if the link is no longer there: of two uses at once, one succeeds.
   * @throws {StoreConflict} if another operator has the name; the link stays
   */
  accept(codeHash: string, joined: OperatorRecord): Promise<OperatorRecord | undefined>
}
