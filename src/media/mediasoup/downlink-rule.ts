/**
 * Decides how to adapt to the bandwidth of one client. When a line becomes narrow, the worker alone continues to send
 * too much for seconds, and voice packets are lost with the video; and it is slow to notice that a line is wide again.
 */

/** The state of the line. */
export type Downlink =
  /** The worker's estimate applies. */
  | { is: 'open' }
  /** Sends very little, so that the queue in the line empties. */
  | { is: 'retreating'; untilMs: number }
  /** The client wants more than the known capacity of the line, so a higher rate is tried from time to time. */
  | { is: 'climbing'; tryAtMs: number; everyMs: number; triedFrom: number }

/** One observation of the line, in bits per second. */
export interface Look {
  nowMs: number
  /** The worker's estimate of the capacity, now and in the previous observation. */
  available: number
  before: number
  /** The bitrate of everything that it could be sent. */
  desired: number
  /** Whether some video is sent smaller than wanted, or not at all. */
  isShort: boolean
  /**
   * The share of packets lost in the last second; 0 unless `fellSharply`, because measuring it requires a call to the
   * worker.
   */
  lost: number
}

/** `retreat`: send very little. `try`: test whether the line has more capacity. `release`: remove the limit. */
export type Act = 'retreat' | 'try' | 'release'

/** An estimate below this share of the previous one fell sharply. */
const SHARP_FALL = 0.75
/** A stall of the machine or of a radio link lowers the estimate too, but loses no packets. */
const LOST = 0.1
/** The queue of an ordinary router is empty after this time. */
const RETREAT_MS = 800
/** The interval of tries while they succeed; it doubles while they fail. */
const TRY_EVERY_MS = 900
const LONGEST_TRY_EVERY_MS = 6000
/** A try succeeded if it increased the estimate by this factor. */
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

/** The worker lowers its estimate by half of the share of lost packets. */
const LOSS_OF_FALL = 2
/** The share of the surviving bitrate that is sent, so that the queue can empty too. */
const RETREAT_SHARE = 0.5
/** Leaves room for a voice on a line of 200 kbit/s. */
const LEAST_BITRATE = 60_000

/** The bitrate to send during a retreat. `sent`: the current bitrate. */
export function retreatBitrate({ before, available, lost }: Look, sent: number): number {
  const share = Math.min(1, Math.max(lost, LOSS_OF_FALL * (1 - available / before)))
  return Math.round(Math.max(LEAST_BITRATE, Math.min(available, sent * (1 - share)) * RETREAT_SHARE))
}

/** A try sends a few packets at the current rate times this. */
const TRY_FACTOR = 3
const LARGEST_STEP = 3_000_000

export function tryBitrate(available: number): number {
  const from = Math.max(LEAST_BITRATE, available)
  return Math.round(Math.min(from * TRY_FACTOR, from + LARGEST_STEP))
}
