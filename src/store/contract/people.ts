/** One thing that is kept about a participant: its kind, and the record. */
export interface PersonalRecord {
  kind: string
  sessionId: string | null
  record: Record<string, unknown>
}

/** How many records of each kind were deleted, or no longer name the person. */
export type ErasedCounts = Record<string, number>

/** What is kept about one participant, over all sessions of a project. */
export interface PeopleStore {
  /** The sessions in which something is kept about the participant, oldest first. */
  sessionsOf(projectId: string, participantId: string): Promise<{ sessionId: string; ongoing: boolean }[]>
  /** What is kept in a session about the participant; `sessionId` null: what belongs to no session. */
  records(projectId: string, participantId: string, sessionId: string | null): Promise<PersonalRecord[]>
  /** The outputs and jobs of a session: those of the participant, and those of everybody. */
  filesIn(
    projectId: string,
    participantId: string,
    sessionId: string,
  ): Promise<{
    own: string[]
    shared: string[]
    jobs: string[]
    sharedJobs: string[]
    deliveriesWaiting: number
  }>
  /**
   * Deletes what is about the participant in a session that has ended. How long somebody was there stays, under `pseudonym`, without a name.
   * Outputs and jobs stay: their files must go first.
   */
  eraseIn(
    projectId: string,
    participantId: string,
    sessionId: string,
    pseudonym: string,
  ): Promise<ErasedCounts>
  /** Revokes the invites of the participant, and takes the id out of them. */
  eraseInvites(projectId: string, participantId: string, at: number): Promise<number>
  /** Lets the participant in always no more, and takes the id out of what it decided about others. */
  eraseStanding(projectId: string, participantId: string): Promise<number>
}
