/**
 * Lines of the log, each with what it belongs to: the HTTP request or the connection on whose behalf something happens.
 * That follows by itself through everything that is awaited, so a line deep inside is found by the id that a caller was told.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { levels, pino, stdSerializers, type DestinationStream, type Logger } from 'pino'

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

/** On whose behalf something happens now; empty where it is nobody's. */
export function currentTrace(): Trace {
  return traces.getStore() ?? {}
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

/** Where the lines go that nobody else takes: to standard output, as JSON or for a person. */
export function logDestination(format: 'auto' | 'pretty' | 'json'): DestinationStream | undefined {
  return format === 'pretty' ? forPeople((text) => process.stdout.write(text)) : undefined
}

/** Writes each line as `10:21:03  warn  the store works again  connection=…`; what failed is told below it. */
export function forPeople(write: (text: string) => void): DestinationStream {
  return {
    write: (line) => {
      const { level, time, msg, err, pid, hostname, ...fields } = JSON.parse(line) as {
        level: number
        time: number
        msg?: string
        err?: { message: string; stack?: string }
        [field: string]: unknown
      }
      const clock = new Date(time).toTimeString().slice(0, 8)
      const told = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`)
      const cause = err ? `\n${(err.stack ?? err.message).replace(/^/gm, '    ')}` : ''
      write(
        `${[clock, (levels.labels[level] ?? String(level)).padEnd(5), msg ?? '', ...told].join('  ')}${cause}\n`.replace(
          CONTROLS,
          '\ufffd',
        ),
      )
    },
  }
}

/** What would move the cursor of a terminal. */
// eslint-disable-next-line no-control-regex -- these are what it is about
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g

function shown(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value)
}

/** What failed may quote what it was given. */
function withoutTokens<T extends object>(told: T): T {
  for (const [name, value] of Object.entries(told)) {
    if (typeof value === 'string') (told as Record<string, unknown>)[name] = value.replace(TOKEN, '[token]')
  }
  return told
}
