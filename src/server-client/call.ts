/**
 * Makes one call to a server's REST API: with a token, a timeout, and retries if they are safe (contract, rest-and-tokens §3.0).
 * Backends, the pages and the command line all call through it.
 */
import type { ErrorName, ErrorBody } from '../protocol/errors.ts'
import type { PageOf } from '../protocol/rest.ts'
import { isReadable } from '../protocol/ids.ts'

/** Why a call failed: the server's code, or one of ours if no server refused. */
export type ServerClientErrorCode = ErrorName | 'TIMEOUT' | 'CONNECTION_FAILED' | 'UNREADABLE_ANSWER'

/** The error of every failed call. */
export class ServerClientError extends Error {
  override readonly name = 'ServerClientError'
  /** The code for programs, e.g. `INVALID_MEETING_ID`. A newer server may have codes that are not in the type. */
  readonly code: ServerClientErrorCode
  /** The HTTP status; undefined if there was no answer. */
  readonly status: number | undefined
  /** The id of the call in the server's log; undefined if there was no answer. */
  readonly requestId: string | undefined

  constructor(
    code: ServerClientErrorCode,
    message: string,
    about: { status?: number; requestId?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause })
    this.code = code
    this.status = about.status
    this.requestId = about.requestId
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface CallOptions {
  /** Undefined and empty values are left out; lists are joined with commas. */
  query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
  /** Sent as JSON. */
  body?: object
  /** Sent besides those of every call. */
  headers?: Readonly<Record<string, string>>
  /** Whether the answer is text instead of JSON. */
  text?: boolean
  /** Error statuses whose body is an answer and no refusal, e.g. 503 of `/health`. */
  accept?: readonly number[]
}

/** Makes a call and returns the server's answer. @throws {ServerClientError} */
export type Call = <Answer>(method: Method, path: string, options?: CallOptions) => Promise<Answer>

/** Replacements of clock, randomness and network, for tests. */
export interface ClientParts {
  /** Ms since the epoch. */
  now: () => number
  /** From 0 to below 1. */
  random: () => number
  wait: (ms: number) => Promise<void>
}

interface CallerOptions {
  baseUrl: string
  timeoutMs: number
  /** Absent: each call is made once. */
  retries?: Pick<ClientParts, 'random' | 'wait'> & { max: number }
  /** Undefined: the call shows no token; a browser shows its cookies either way. */
  token: () => string | undefined
}

const BACKOFF_MS = 1000
const MAX_BACKOFF_MS = 8000
const JITTER_MS = 250
/** Idempotent methods, which are safe to retry. */
const IDEMPOTENT: ReadonlySet<Method> = new Set(['GET', 'PUT', 'DELETE'])

export function createCaller({ baseUrl, timeoutMs, retries, token }: CallerOptions): Call {
  const once = async (
    method: Method,
    path: string,
    { query, body, headers, text, accept }: CallOptions,
  ): Promise<unknown> => {
    let answer: Response
    let read: string
    const url = baseUrl + path + queryText(query)
    const authorization = token()
    try {
      answer = await fetch(url, {
        method,
        headers: {
          ...headers,
          ...(authorization !== undefined && { authorization }),
          accept: text === true ? '*/*' : 'application/json',
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      read = await answer.text()
    } catch (cause) {
      throw cause instanceof Error && cause.name === 'TimeoutError'
        ? new ServerClientError('TIMEOUT', `The server did not answer within ${timeoutMs} ms.`, { cause })
        : new ServerClientError('CONNECTION_FAILED', 'The server cannot be reached.', { cause })
    }
    const about = { status: answer.status, requestId: answer.headers.get('x-request-id') ?? undefined }
    const isAnswer = answer.ok || accept?.includes(answer.status) === true
    if (isAnswer && text === true) return read
    const value = jsonOf(read)
    if (isAnswer && value !== undefined) return value
    const { code, message } = (value ?? {}) as Partial<ErrorBody>
    if (isAnswer || typeof code !== 'string' || typeof message !== 'string')
      throw new ServerClientError(
        'UNREADABLE_ANSWER',
        `Something other than Anteroom answered (${answer.status}).`,
        about,
      )
    throw new ServerClientError(code as ErrorName, message, about)
  }

  return async <Answer>(method: Method, path: string, options: CallOptions = {}) => {
    for (let tried = 0; ; tried++) {
      try {
        return (await once(method, path, options)) as Answer
      } catch (error) {
        if (!retries || tried >= retries.max || !isWorthAnotherTry(error, method)) throw error
        await retries.wait(Math.min(BACKOFF_MS * 2 ** tried, MAX_BACKOFF_MS) + retries.random() * JITTER_MS)
      }
    }
  }
}

/** A request answered with 429 had no effect; any other may have had one. */
function isWorthAnotherTry(error: unknown, method: Method): boolean {
  if (!(error instanceof ServerClientError)) return false
  if (error.status === 429) return true
  return IDEMPOTENT.has(method) && (error.status === undefined || error.status >= 500)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function queryText(query: CallOptions['query'] = {}): string {
  const given = new URLSearchParams()
  for (const [name, value = ''] of Object.entries(query)) {
    const text = typeof value === 'object' ? value.join() : String(value)
    if (!text.isWellFormed()) throw new TypeError(`${name} must be well-formed Unicode`)
    if (text !== '') given.set(name, text)
  }
  return given.size === 0 ? '' : `?${given.toString()}`
}

/**
 * Builds a path with ids, each as one segment.
 *
 * @throws {TypeError} for an invalid id, or one that would lead to another path
 */
export function at(parts: TemplateStringsArray, ...ids: string[]): string {
  return parts.reduce((path, part, index) => {
    const id = ids[index - 1]
    if (!isReadable(id) || id === '.' || id === '..')
      throw new TypeError('an id must be a string that is not empty')
    return path + encodeURIComponent(id) + part
  })
}

/** All of a list, page after page. */
export async function* everyOne<One>(page: (page: number) => Promise<PageOf<One>>): AsyncGenerator<One> {
  for (let number = 1; ; number++) {
    const { pageInfo, data } = await page(number)
    yield* data
    if (data.length === 0 || pageInfo.currentPage >= pageInfo.lastPage) return
  }
}
