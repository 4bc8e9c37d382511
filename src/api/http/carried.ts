/** Connections that another node carried here: where they came from. */
import type { IncomingMessage } from 'node:http'

export interface Origin {
  /** The network of the caller, see `networkOf`. */
  caller: string
  encrypted: boolean
  /** The node that the caller reached. */
  node: string | undefined
}

/** Names of headers that only another node may send. */
export const CARRIED = {
  caller: 'x-anteroom-caller',
  scheme: 'x-anteroom-scheme',
  node: 'x-anteroom-node',
} as const

const origins = new WeakMap<IncomingMessage, Origin>()

/** Believes the headers of a request. Call it for requests of other nodes only. */
export function markCarried(request: IncomingMessage): void {
  const { [CARRIED.caller]: caller, [CARRIED.node]: node } = request.headers
  if (typeof caller !== 'string') return
  const encrypted = request.headers[CARRIED.scheme] === 'https'
  origins.set(request, { caller, encrypted, node: typeof node === 'string' ? node : undefined })
}

export const originOf = (request: IncomingMessage): Origin | undefined => origins.get(request)
