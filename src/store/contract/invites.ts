import type { Page, PageOf } from './pages.ts'

export interface InviteRecord {
  /** SHA-256 of the code, hex. The code itself is shown once and never stored. */
  codeHash: string
  inviteId: string
  meetingId: string
  projectId: string
  /** Whether the holder joins directly or asks to join. */
  entry: 'direct' | 'ask'
  createdAt: number
  expiresAt: number
  maxUses: number | null
  uses: number
  revokedAt: number | null
  /** The API key and the token that made the invite; null in records of older versions. */
  apiKey: string | null
  tokenId: string | null
  /** The invite that its maker used to get in, if any. */
  parentId: string | null
  /** The participant that the maker's token is bound to, if any. */
  participantId: string | null
}

/** The number of invites of a meeting, and how many of them one token and one participant made. */
export interface InviteCounts {
  meeting: number
  token: number
  participant: number
}

export interface InviteStore {
  /**
   * Atomic. If `isFull` returns true for the present counts, deletes the invites of the meeting that are no longer valid at
   * `createdAt`, and their descendants. If it is still full, writes nothing and returns the counts.
   */
  create(invite: InviteRecord, isFull?: (counts: InviteCounts) => boolean): Promise<InviteCounts | undefined>
  /**
   * The chain of invites: this one, then the one that its maker used, and so on. Empty if an ancestor was deleted, or if the
   * chain is longer than the rules allow.
   */
  line(inviteId: string): Promise<InviteRecord[]>
  /** The chain of the invite with this code. */
  lineOfCode(codeHash: string): Promise<InviteRecord[]>
  get(inviteId: string): Promise<InviteRecord | undefined>
  /** Newest first. */
  list(meetingId: string, page: Page): Promise<PageOf<InviteRecord>>
  /**
   * Atomic. Counts one use of every invite in the chain and returns the updated chain. Returns undefined, and counts nothing,
   * if any of them is revoked, expired at `now` or used up.
   */
  use(codeHash: string, now: number): Promise<InviteRecord[] | undefined>
  revoke(inviteId: string, at: number): Promise<boolean>
  /** Deletes invites that expired before `at`, at most `limit`. Returns how many it deleted. */
  dropExpiredBefore(at: number, limit: number): Promise<number>
}
