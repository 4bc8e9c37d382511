/**
 * What to do about the line to one client. The worker alone goes on for seconds sending what a line that became narrow does
 * not take, and sound is lost with the pictures; and it is slow to find out that a line is wide again.
 */

/** How the line stands. */
export type Downlink =
  /** The worker's estimate counts. */
  | { is: 'open' }
  /** Next to nothing is sent, so that what waits in the line gets through. */
  | { is: 'retreating'; untilMs: number }
  /** The client wants more than the line is known to take, and more is tried now and then. */
  | { is: 'climbing'; tryAtMs: number; everyMs: number; triedFrom: number }

/** One look at it; bits per second. */
export interface Look {
  nowMs: number
  /** What the worker takes the line to carry, now and at the look before. */
  available: number
  before: number
  /** What all that it could be sent amounts to. */
  desired: number
  /** Whether it is sent smaller pictures than it wants, or none. */
  isShort: boolean
  /** Of the packets of the last second, which share was lost; 0 unless `fellSharply`, as it costs a question to the worker. */
  lost: number
}

/** `retreat`: send next to nothing. `try`: see whether the line takes more. `release`: send what the client wants. */
export type Act = 'retreat' | 'try' | 'release'

/** An estimate below this share of the one before fell sharply. */
const SHARP_FALL = 0.75
/** A stall of the machine or of a radio makes the estimate fall too, but loses nothing. */
const LOST = 0.1
/** What waits in an ordinary router is through by then. */
const RETREAT_MS = 800
/** Between tries while they succeed, and at most while they fail. */
const TRY_EVERY_MS = 900
const LONGEST_TRY_EVERY_MS = 6000
/** A try that brought this much succeeded. */
const GAIN = 1.3

export function follow(state: Downlink, look: Look): { state: Downlink; act?: Act } {
  const { nowMs, available, lost } = look
  if (state.is === 'retreating')
    return nowMs < state.untilMs ? { state } : { state: climbing(look, TRY_EVERY_MS), act: 'try' }
  if (fellSharply(look) && lost >= LOST)
    return { state: { is: 'retreating', untilMs: nowMs + RETREAT_MS }, act: 'retreat' }
  const isHeldBack = look.isShort && available < look.desired
  if (state.is === 'open') return { state: isHeldBack ? climbing(look, TRY_EVERY_MS) : state }
  if (!isHeldBack) return { state: { is: 'open' }, act: 'release' }
  if (nowMs < state.tryAtMs) return { state }
  const gained = available >= state.triedFrom * GAIN
  const everyMs = gained ? TRY_EVERY_MS : Math.min(state.everyMs * 2, LONGEST_TRY_EVERY_MS)
  return { state: climbing(look, everyMs), act: 'try' }
}

export function fellSharply({ available, before }: Pick<Look, 'available' | 'before'>): boolean {
  return available < before * SHARP_FALL
}

function climbing({ nowMs, available }: Look, everyMs: number): Downlink {
  return { is: 'climbing', tryAtMs: nowMs + everyMs, everyMs, triedFrom: available }
}

/** The worker takes half the share of lost packets off its estimate. */
const LOSS_OF_FALL = 2
/** Of what gets through, so that what waits gets through as well. */
const RETREAT_SHARE = 0.5
/** A voice beside it still has room on a line of 200 kbit/s. */
const LEAST_BITRATE = 60_000

/** What is sent during a retreat, where `sent` is sent now. */
export function retreatBitrate({ before, available, lost }: Look, sent: number): number {
  const share = Math.min(1, Math.max(lost, LOSS_OF_FALL * (1 - available / before)))
  return Math.round(Math.max(LEAST_BITRATE, Math.min(available, sent * (1 - share)) * RETREAT_SHARE))
}

/** A try is a few packets at this rate. */
const TRY_FACTOR = 3
const LARGEST_STEP = 3_000_000

export function tryBitrate(available: number): number {
  const from = Math.max(LEAST_BITRATE, available)
  return Math.round(Math.min(from * TRY_FACTOR, from + LARGEST_STEP))
}
