/**
 * Lines of the log, each with what it belongs to: the HTTP request or the connection on whose behalf something happens.
 * That follows by itself through everything that is awaited, so a line deep inside is found by the id that a caller was told.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino'

/** Ids of ours, or one that a caller quoted in `x-request-id`. */
export interface Trace {
  requestId?: string
  /** Id of a socket. */
  connection?: string
}

const traces = new AsyncLocalStorage<Trace>()
/** Three parts of base64url with dots between: a signed token, wherever it stands. */
const TOKEN = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+/g

/** Does `work`, and whatever it sets off, on behalf of this request or connection. */
export function onBehalfOf<T>(trace: Trace, work: () => T): T {
  return traces.run(trace, work)
}

/** `listener` on behalf of whom it is made for, whoever calls it later. */
export function keepingTrace<A extends unknown[]>(listener: (...args: A) => void): (...args: A) => void {
  return AsyncLocalStorage.bind(listener)
}

/**
 * At the default level `info` a line holds ids of requests, connections, meetings, sessions and deliveries, and of people
 * neither names, ids nor addresses; no level holds tokens.
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    mixin: () => ({ ...traces.getStore() }),
    serializers: { err: (error: Error) => withoutTokens(stdSerializers.err(error)) },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** What failed may quote what it was given. */
function withoutTokens<T extends object>(told: T): T {
  for (const [name, value] of Object.entries(told)) {
    if (typeof value === 'string') (told as Record<string, unknown>)[name] = value.replace(TOKEN, '[token]')
  }
  return told
}
