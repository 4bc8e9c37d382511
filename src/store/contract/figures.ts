/** Measurements of one participant at an instant. `meeting/media/quality.ts` sets the order of the figures. */
export interface StatsRecord {
  sessionId: string
  participantId: string
  at: number
  figures: readonly (number | null)[]
}

/** Measurements of the whole server at an instant, by name. */
export interface ServerSample {
  at: number
  figures: Readonly<Record<string, number>>
  /** The node that took it, if there are several. */
  nodeId?: string
}

/** Measurements over time. */
export interface FigureStore {
  addStats(records: readonly StatsRecord[]): Promise<void>
  /** Oldest first; only of `participantId`, if given. Returns the newest ones if there are too many. */
  stats(sessionId: string, participantId?: string): Promise<StatsRecord[]>
  addSample(sample: ServerSample): Promise<void>
  samples(from: number, to: number): Promise<ServerSample[]>
  /** Deletes older records, at most `limit` of each kind. Returns how many it deleted. */
  dropBefore(at: number, limit: number): Promise<number>
}
