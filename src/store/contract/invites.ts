import type { Page, PageOf } from './pages.ts'

export interface InviteRecord {
  /** SHA-256 of the code, hex; the code itself is shown once and not kept. */
  codeHash: string
  inviteId: string
  meetingId: string
  projectId: string
  /** What the holder gets: joins directly, or asks. */
  entry: 'direct' | 'ask'
  createdAt: number
  expiresAt: number
  maxUses: number | null
  uses: number
  revokedAt: number | null
  /** The key and the token that made it; null for an invite that is older than the record of them. */
  apiKey: string | null
  tokenId: string | null
  /** The invite by which its maker came in, if by any. */
  parentId: string | null
  /** The participant that the maker's token is bound to, if to any. */
  participantId: string | null
}

/** How many invites there are of one meeting, and how many of those one token or one participant made. */
export interface InviteCounts {
  meeting: number
  token: number
  participant: number
}

export interface InviteStore {
  /**
   * `isFull` judges how many there are already. Where it says yes, those that are out of force at `createdAt` make room, with
   * all that came of them; where it still says so, nothing is written, and these counts are the answer. Atomic.
   */
  create(invite: InviteRecord, isFull?: (counts: InviteCounts) => boolean): Promise<InviteCounts | undefined>
  /**
   * The invite, then the one by which its maker came in, and so on. Empty where one of them is gone, or where there are more
   * than anybody may make.
   */
  line(inviteId: string): Promise<InviteRecord[]>
  /** The same, of the invite that has this code. */
  lineOfCode(codeHash: string): Promise<InviteRecord[]>
  get(inviteId: string): Promise<InviteRecord | undefined>
  /** Newest first. */
  list(meetingId: string, page: Page): Promise<PageOf<InviteRecord>>
  /**
   * Counts one use of the invite and of all those of its line, if none is revoked, expired at `now` or used up; undefined
   * otherwise. Atomic. Answers the line as it is afterwards.
   */
  use(codeHash: string, now: number): Promise<InviteRecord[] | undefined>
  revoke(inviteId: string, at: number): Promise<boolean>
  /** At most `limit` of those that expired before. Answers how many rows went. */
  dropExpiredBefore(at: number, limit: number): Promise<number>
}
