/** The orders that `floods-long.ts` gives to `flooder.ts`. */
export const floods = [
  'connections',
  'half-open sockets',
  'slow bodies',
  'requests',
  'entry requests',
  'produce/close',
  'chat',
  'file uploads',
  'init-config, bad tokens',
] as const
export type Flood = (typeof floods)[number]

export interface FloodOrder {
  flood: Flood
  from: 'one' | 'many'
  url: string
  /** An empty meeting for the flood. */
  meetingId: string
  seconds: number
}

/** How often each outcome occurred. */
export type FloodTally = Record<string, number>
