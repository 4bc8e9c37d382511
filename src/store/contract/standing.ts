/** Somebody whom a moderator lets in always, without asking again. */
export interface StandingAdmission {
  meetingId: string
  participantId: string
  /** The token with which the person asked, as a grant names it. */
  tokenId: string
  /** That token was bound to the participant id, so each other one that is bound to it belongs to the same person. */
  bound: boolean
  /** The display name at that time. */
  name: string
  at: number
  /** The id of the moderator, or `server`; null if that was erased. */
  by: string | null
}

/** Who is always let in, by meeting, over all of its sessions. */
export interface StandingStore {
  /** Atomic. Replaces the one of the same id and token. Returns false, and writes nothing, if the meeting has `most` others. */
  admit(admission: StandingAdmission, most: number): Promise<boolean>
  /** Returns false if nobody with this id was always let in. */
  lift(meetingId: string, participantId: string): Promise<boolean>
  of(meetingId: string, participantId: string): Promise<StandingAdmission[]>
  /** Oldest first. */
  list(meetingId: string): Promise<StandingAdmission[]>
}
