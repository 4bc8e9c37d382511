/** Days in UTC, as usage is counted by them: `2026-01-31`. */
export const DAY_MS = 86_400_000

export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** When the day after this instant begins. */
export const nextDayAt = (at: number): number => (Math.floor(at / DAY_MS) + 1) * DAY_MS
