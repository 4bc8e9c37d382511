/** Sends one POST to a receiver: to public addresses only, with a timeout, without following redirects. */
import type { LookupFunction } from 'node:net'
import { Resolver } from 'node:dns/promises'
import { Agent as HttpAgent, request as httpRequest, type ClientRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { isPublicAddress, literalAddress } from './guard.ts'
import type { Answer } from './schedule.ts'

export interface SenderOptions {
  /** Allows any address. */
  allowPrivate: boolean
  timeoutMs: number
  /** Resolves a name; default: DNS. Unused with `allowPrivate`, which resolves names as the machine does. */
  resolve?: (hostname: string) => Promise<string[]>
}

/** Of an answer, its status and its beginning are used; this much of it is read so that the connection can be reused. */
const MAX_ANSWER_BYTES = 65_536
const KEPT_BYTES = 1024
const IDLE_CONNECTION_MS = 4000
const IDLE_CONNECTIONS = 2

class Refused extends Error {}

export class Sender {
  readonly #options: SenderOptions
  readonly #agents: { 'http:': HttpAgent; 'https:': HttpsAgent }
  readonly #lookup: LookupFunction | undefined

  constructor(options: SenderOptions) {
    this.#options = options
    const kept = { keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, timeout: IDLE_CONNECTION_MS }
    this.#agents = { 'http:': new HttpAgent(kept), 'https:': new HttpsAgent(kept) }
    this.#lookup = guardedLookup(options)
  }

  /** Returns undefined if `signal` aborted it. */
  async send(
    endPoint: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<Answer | undefined> {
    const url = URL.canParse(endPoint) ? new URL(endPoint) : undefined
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return failed('The address is malformed.')
    const literal = literalAddress(url)
    if (literal !== undefined && !this.#options.allowPrivate && !isPublicAddress(literal))
      return failed(PRIVATE)
    const timeout = AbortSignal.timeout(this.#options.timeoutMs)
    const ended = AbortSignal.any([signal, timeout])
    const post = (fresh: boolean): Promise<{ status: number; answer: string | null }> =>
      new Promise((resolve, reject) => {
        const request = this.#open(url, headers, body, ended, fresh)
        let status: number | undefined
        request.once('response', (response) => {
          status = response.statusCode!
          let bytes = 0
          const kept: Buffer[] = []
          response.on('data', (chunk: Buffer) => {
            if (bytes < KEPT_BYTES) kept.push(chunk.subarray(0, KEPT_BYTES - bytes))
            bytes += chunk.length
            if (bytes > MAX_ANSWER_BYTES) response.destroy()
          })
          // A failure after the status does not matter.
          response.on('error', () => undefined)
          response.once('close', () =>
            resolve({ status: response.statusCode!, answer: textOf(Buffer.concat(kept)) }),
          )
        })
        request.on('error', (error) => {
          if (status !== undefined) return
          // The receiver had just closed a kept-alive connection: not a failure of this delivery.
          if (request.reusedSocket && !ended.aborted) post(true).then(resolve, reject)
          else reject(error)
        })
        request.end(body)
      })
    try {
      const { status, answer } = await post(false)
      if (status >= 200 && status < 300) return { status, error: null, answer }
      const redirects = status >= 300 && status < 400 ? '; redirects are not followed' : ''
      return { status, error: `The receiver answered ${status}${redirects}.`, answer }
    } catch (error) {
      if (signal.aborted) return undefined
      return failed(timeout.aborted ? tooLong(this.#options.timeoutMs) : sentenceOf(error))
    }
  }

  close(): void {
    this.#agents['http:'].destroy()
    this.#agents['https:'].destroy()
  }

  #open(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    signal: AbortSignal,
    fresh: boolean,
  ): ClientRequest {
    const options = {
      method: 'POST',
      headers: { ...headers, 'content-length': body.length },
      signal,
      ...(this.#lookup && { lookup: this.#lookup }),
    }
    return url.protocol === 'https:'
      ? httpsRequest(url, { ...options, agent: fresh ? false : this.#agents['https:'] })
      : httpRequest(url, { ...options, agent: fresh ? false : this.#agents['http:'] })
  }
}

const PRIVATE =
  'The receiver has a private address, where events do not go unless WEBHOOK_ALLOW_PRIVATE=true.'
const UNKNOWN = 'The name of the receiver is not known.'

const failed = (error: string): Answer => ({ status: null, error, answer: null })

/** What every database keeps: without U+0000, and bytes that are no UTF-8 replaced, such as half a character at the end. */
const textOf = (bytes: Buffer): string | null =>
  bytes.length === 0 ? null : bytes.toString('utf8').replaceAll('\0', '\ufffd')
const tooLong = (timeoutMs: number): string =>
  `The receiver did not answer within ${timeoutMs / 1000} seconds.`

function sentenceOf(error: unknown): string {
  if (error instanceof Refused) return error.message
  const { code = '' } = error as NodeJS.ErrnoException
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return UNKNOWN
  if (code === 'ECONNREFUSED') return 'The receiver refused the connection.'
  if (code === 'ECONNRESET') return 'The receiver closed the connection without an answer.'
  if (/CERT|SIGNATURE|ISSUER|ALTNAME/.test(code))
    return `The certificate of the receiver is not trusted (${code}).`
  return `The receiver cannot be reached${code === '' ? '' : ` (${code})`}.`
}

/** Undefined where any address is allowed. */
export function guardedLookup({
  allowPrivate,
  resolve,
}: Pick<SenderOptions, 'allowPrivate' | 'resolve'>): LookupFunction | undefined {
  return allowPrivate ? undefined : guarded(resolve ?? askDns())
}

/** Connects to the very address that was checked, without a second lookup. */
function guarded(resolve: (hostname: string) => Promise<string[]>): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const allowed = addresses
          .filter((address) => isPublicAddress(address))
          .map((address) => ({ address, family: isIP(address) }))
        const [first] = allowed
        if (!first) callback(new Refused(addresses.length === 0 ? UNKNOWN : PRIVATE), '', 0)
        else if (options.all) callback(null, allowed)
        else callback(null, first.address, first.family)
      },
      () => callback(new Refused(UNKNOWN), '', 0),
    )
  }
}

/** Does not use the system's lookup: it has few threads, and names with silent servers would block all others. */
function askDns(): (hostname: string) => Promise<string[]> {
  const resolver = new Resolver({ timeout: 2500, tries: 2 })
  return async (hostname) => {
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }
}
