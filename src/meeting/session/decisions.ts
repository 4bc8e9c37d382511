/** What moderators decided for one session, as it is kept: the rules, and who moderates with them. */
import type { Notification } from '../../protocol/notifications.ts'
import type { Plan } from '../breakouts/plan.ts'
import { openRules, type Rules } from '../../protocol/rules.ts'

export interface CoHost {
  participantId: string
  /** Knowing the id of a co-host does not make one: it is bound to a token. */
  tokenId: string
}

/** A time that runs out, for all to see. */
export interface Timer {
  totalMs: number
  endsAt: number
  /** What is left of it while it is paused; then `endsAt` means nothing. */
  pausedLeftMs?: number | undefined
}

export interface Decisions {
  readonly rules: Rules
  readonly coHosts: readonly CoHost[]
  readonly timer?: Timer | undefined
  readonly breakouts?: Plan | undefined
}

export const noDecisions: Decisions = { rules: openRules, coHosts: [] }

export function isCoHost({ coHosts }: Decisions, { participantId, tokenId }: CoHost): boolean {
  return coHosts.some((one) => one.participantId === participantId && one.tokenId === tokenId)
}

/** Adds a co-host, or takes one away with every token. */
export function withCoHost(decisions: Decisions, coHost: CoHost, is: boolean): Decisions {
  const others = decisions.coHosts.filter(({ participantId }) => participantId !== coHost.participantId)
  return { ...decisions, coHosts: is ? [...others, coHost] : others }
}

/** Reads what `JSON.stringify` wrote; another version may have written more or less. */
export function decisionsFrom(text: string | null): Decisions {
  if (text === null) return noDecisions
  const { rules, coHosts, timer, breakouts } = JSON.parse(text) as Partial<Decisions>
  return {
    rules: { ...openRules, ...rules },
    coHosts: coHosts ?? [],
    ...(timer && { timer }),
    ...(breakouts && { breakouts }),
  }
}

/** The decisions, as everybody is told. */
export function rulesOf({ rules, coHosts }: Decisions): Notification {
  return { method: 'rulesChanged', ...rules, coHosts: coHosts.map(({ participantId }) => participantId) }
}

/** How much time is left. */
function leftOf({ endsAt, pausedLeftMs }: Timer, now: number): number {
  return pausedLeftMs ?? endsAt - now
}

/** The timer paused, or going on; undefined if there is none, or nothing to change. */
export function pausedTimer(timer: Timer | undefined, paused: boolean, now: number): Timer | undefined {
  if (!timer || (timer.pausedLeftMs !== undefined) === paused) return undefined
  const { totalMs } = timer
  const leftMs = leftOf(timer, now)
  if (leftMs <= 0) return undefined
  return { totalMs, endsAt: now + leftMs, ...(paused && { pausedLeftMs: leftMs }) }
}

/** The timer, as everybody is told: what is left of it now, because the clocks of clients differ. */
export function timerOf(
  { timer }: Decisions,
  now: number,
): Extract<Notification, { method: 'timerChanged' }> {
  const leftMs = timer ? leftOf(timer, now) : 0
  return {
    method: 'timerChanged',
    timer:
      timer && leftMs > 0
        ? { totalMs: timer.totalMs, leftMs, paused: timer.pausedLeftMs !== undefined }
        : null,
  }
}
