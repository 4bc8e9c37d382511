/** What `floods-long.ts` asks of `flooder.ts`. */
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
  /** Of a meeting that nobody else is in. */
  meetingId: string
  seconds: number
}

/** How often each thing happened. */
export type FloodTally = Record<string, number>
