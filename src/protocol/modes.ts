/** What a participant sends and receives (contract, rest-and-tokens §4.5). */
export const modeNames = ['SEND_AND_RECV', 'RECV_ONLY', 'SIGNALLING_ONLY'] as const
export type Mode = (typeof modeNames)[number]

/** The names of clients before 0.1.4, which later ones may still use. */
const oldModes: Record<string, Mode> = { CONFERENCE: 'SEND_AND_RECV', VIEWER: 'SIGNALLING_ONLY' }

/** Undefined for a name nobody knows. */
export function parseMode(value: unknown): Mode | undefined {
  return isOldMode(value) ? oldModes[value] : modeNames.find((name) => name === value)
}

export function isOldMode(value: unknown): value is string {
  return typeof value === 'string' && Object.hasOwn(oldModes, value)
}
