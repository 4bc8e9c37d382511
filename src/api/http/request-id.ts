/** The id that finds a request in the log: the caller's own id if it sends one, otherwise one of ours. */
import { randomBytes } from 'node:crypto'

export const REQUEST_ID_HEADER = 'x-request-id'

const QUOTED = /^[\w.:-]{8,64}$/
const processId = randomBytes(6).toString('hex')
let requests = 0

/** `quoted` is used if it looks like an id. Ours are unique across restarts and machines. */
export function requestIdOf(quoted: unknown): string {
  if (typeof quoted === 'string' && QUOTED.test(quoted)) return quoted
  return `${processId}-${(++requests).toString(36)}`
}
