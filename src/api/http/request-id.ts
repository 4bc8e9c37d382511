/** By which a line of the log is found again: the caller's own id, if it quotes one, else one of ours. */
import { randomBytes } from 'node:crypto'

export const REQUEST_ID_HEADER = 'x-request-id'

const QUOTED = /^[\w.:-]{8,64}$/
const processId = randomBytes(6).toString('hex')
let requests = 0

/** `quoted` counts if it looks like an id; ours are unique across restarts and machines. */
export function requestIdOf(quoted: unknown): string {
  if (typeof quoted === 'string' && QUOTED.test(quoted)) return quoted
  return `${processId}-${(++requests).toString(36)}`
}
