/** Modes: whether a participant sends and receives (contract, rest-and-tokens §4.5). */
export const modeNames = ['SEND_AND_RECV', 'RECV_ONLY', 'SIGNALLING_ONLY'] as const
export type Mode = (typeof modeNames)[number]

/** The names used by clients before 0.1.4; later clients may still use them. */
const oldModes: Record<string, Mode> = { CONFERENCE: 'SEND_AND_RECV', VIEWER: 'SIGNALLING_ONLY' }

/** Returns undefined for an unknown name. */
export function parseMode(value: unknown): Mode | undefined {
  return isOldMode(value) ? oldModes[value] : modeNames.find((name) => name === value)
}

export function isOldMode(value: unknown): value is string {
  return typeof value === 'string' && Object.hasOwn(oldModes, value)
}
