/** A question that a moderator asked in a session. */
export interface PollRecord {
  pollId: string
  question: string
  options: readonly string[]
  /** Whether a participant may choose several options. */
  multiple: boolean
  /** Whether the others are not told who chose what. */
  anonymous: boolean
  /** The participant who asked, and the name at that time. */
  askerId: string
  askerName: string
  createdAt: number
  /** Null: votes are taken. */
  endedAt: number | null
}

/** What a participant chose. Nobody has two votes in a poll with the same id and token. */
export interface VoteRecord {
  pollId: string
  participantId: string
  tokenId: string
  /** The display name at that time. */
  name: string
  /** Indexes into the options, ascending. */
  choices: readonly number[]
  at: number
}

/** The polls of sessions, deleted with their records. */
export interface PollStore {
  add(sessionId: string, poll: PollRecord): Promise<void>
  end(sessionId: string, pollId: string, at: number): Promise<void>
  /** Replaces the former vote of the same participant id and token. */
  vote(sessionId: string, vote: VoteRecord): Promise<void>
  /** Oldest first. */
  list(sessionId: string): Promise<PollRecord[]>
  /** The votes in all polls of a session, oldest first. */
  votes(sessionId: string): Promise<VoteRecord[]>
}
