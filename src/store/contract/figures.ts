/** What was measured of one participant at an instant; the order of the figures is `meeting/media/quality.ts`'s. */
export interface StatsRecord {
  sessionId: string
  participantId: string
  at: number
  figures: readonly (number | null)[]
}

/** What was measured of the whole server at an instant, by name. */
export interface ServerSample {
  at: number
  figures: Readonly<Record<string, number>>
}

/** Figures over time. */
export interface FigureStore {
  addStats(records: readonly StatsRecord[]): Promise<void>
  /** In the order of time; of one participant, if named. Of a great many, the newest. */
  stats(sessionId: string, participantId?: string): Promise<StatsRecord[]>
  addSample(sample: ServerSample): Promise<void>
  samples(from: number, to: number): Promise<ServerSample[]>
  /** Deletes what is older, at most `limit` of each kind. Answers how many. */
  dropBefore(at: number, limit: number): Promise<number>
}
