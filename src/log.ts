/**
 * The log. Each line carries the id of the HTTP request or the connection that it belongs to.
 * The id follows through everything that is awaited, so that a line from deep inside can be found by the id that the caller got.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { levels, pino, stdSerializers, type DestinationStream, type Logger } from 'pino'

/** Ids made by the server, or the one that a caller sent in `x-request-id`. */
export interface Trace {
  requestId?: string
  /** Id of a socket. */
  connection?: string
}

const traces = new AsyncLocalStorage<Trace>()
/** A signed token anywhere in a text: three parts of base64url separated by dots. */
const TOKEN = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+/g

/** Runs `work`, and everything that it starts, with this trace. */
export function runWithTrace<T>(trace: Trace, work: () => T): T {
  return traces.run(trace, work)
}

/** The present trace; empty if there is none. */
export function currentTrace(): Trace {
  return traces.getStore() ?? {}
}

/** Binds a listener to the present trace, whoever calls it later. */
export function bindTrace<A extends unknown[]>(listener: (...args: A) => void): (...args: A) => void {
  return AsyncLocalStorage.bind(listener)
}

/**
 * At the default level `info`, lines contain ids of requests, connections, meetings, sessions and deliveries, but no names,
 * ids or addresses of people. No level contains tokens.
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    mixin: () => ({ ...traces.getStore() }),
    serializers: { err: (error: Error) => withoutTokens(stdSerializers.err(error)) },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** The default destination of log lines: standard output, as JSON or for people. */
export function logDestination(format: 'auto' | 'pretty' | 'json'): DestinationStream | undefined {
  return format === 'pretty' ? forPeople((text) => process.stdout.write(text)) : undefined
}

/** Writes each line as `10:21:03  warn  resumed writing to the store  connection=…`, with the stack of an error below it. */
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

/** Control characters, which could move the cursor of a terminal. */
// eslint-disable-next-line no-control-regex -- these are what it is about
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g

function shown(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value)
}

/** Removes tokens: an error may quote its input. */
function withoutTokens<T extends object>(told: T): T {
  for (const [name, value] of Object.entries(told)) {
    if (typeof value === 'string') (told as Record<string, unknown>)[name] = value.replace(TOKEN, '[token]')
  }
  return told
}
