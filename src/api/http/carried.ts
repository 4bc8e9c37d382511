/** Connections that another node carried here: where they came from. */
import type { IncomingMessage } from 'node:http'

export interface Origin {
  /** The network of the caller, see `networkOf`. */
  caller: string
  encrypted: boolean
}

/** Names of headers that only another node may send. */
export const CARRIED = { caller: 'x-anteroom-caller', scheme: 'x-anteroom-scheme' } as const

const origins = new WeakMap<IncomingMessage, Origin>()

/** Believes the headers of a request. Call it for requests of other nodes only. */
export function markCarried(request: IncomingMessage): void {
  const caller = request.headers[CARRIED.caller]
  if (typeof caller !== 'string') return
  origins.set(request, { caller, encrypted: request.headers[CARRIED.scheme] === 'https' })
}

export const originOf = (request: IncomingMessage): Origin | undefined => origins.get(request)
