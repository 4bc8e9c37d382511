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

export interface StatsQuery {
  sessionId: string
  /** Default: all participants. */
  participantId?: string
  /** Bounds of `at`, both inclusive. */
  from?: number
  to?: number
  limit: number
}

/** Measurements over time. */
export interface FigureStore {
  addStats(records: readonly StatsRecord[]): Promise<void>
  /** Oldest first. */
  stats(query: StatsQuery): Promise<StatsRecord[]>
  /** The measurements of a session at these instants, oldest first. */
  statsAt(sessionId: string, instants: readonly number[]): Promise<StatsRecord[]>
  addSample(sample: ServerSample): Promise<void>
  samples(from: number, to: number): Promise<ServerSample[]>
  /** Deletes older records, at most `limit` of each kind. Returns how many it deleted. */
  dropBefore(at: number, limit: number): Promise<number>
}
