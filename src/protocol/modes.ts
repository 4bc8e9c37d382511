/** What a participant sends and receives (contract, rest-and-tokens §4.5). */
export type Mode = 'SEND_AND_RECV' | 'RECV_ONLY' | 'SIGNALLING_ONLY'

const modes: Record<string, Mode> = {
  SEND_AND_RECV: 'SEND_AND_RECV',
  RECV_ONLY: 'RECV_ONLY',
  SIGNALLING_ONLY: 'SIGNALLING_ONLY',
}

/** The names of clients before 0.1.4, which later ones may still use. */
const oldModes: Record<string, Mode> = { CONFERENCE: 'SEND_AND_RECV', VIEWER: 'SIGNALLING_ONLY' }

/** Undefined for a name nobody knows. */
export function parseMode(value: unknown): Mode | undefined {
  if (typeof value !== 'string') return undefined
  return Object.hasOwn(modes, value) ? modes[value] : isOldMode(value) ? oldModes[value] : undefined
}

export function isOldMode(value: unknown): value is string {
  return typeof value === 'string' && Object.hasOwn(oldModes, value)
}
