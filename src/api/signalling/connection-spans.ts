/**
 * The spans of one connection: each request, and its join as a whole, from the entry request to the answer to `join`.
 */
import type { IncomingMessage } from 'node:http'
import type { Answer } from './client-link.ts'
import { absentServices, requests } from '../../protocol/requests.ts'
import { startSpan, type Span } from '../../tracing/tracing.ts'

/** The requests that a client must send to join. */
const STEPS: ReadonlySet<string> = new Set([
  'requestEntry',
  'getRouterRtpCapabilities',
  'createWebRtcTransport',
  'connectWebRtcTransport',
  'join',
])
/** Sent every two seconds, without an effect. */
const SILENT: ReadonlySet<string> = new Set(['ping'])

export class ConnectionSpans {
  readonly #request: IncomingMessage
  #join: Span | undefined

  /** @param request the one that opened the socket; its `traceparent` is the parent of the join */
  constructor(request: IncomingMessage) {
    this.#request = request
  }

  /** Called for each request; returns undefined if it is not traced. */
  begin(method: string | undefined): { run: Span['run']; answered(answer: Answer): void } | undefined {
    if (method !== undefined && SILENT.has(method)) return undefined
    const known = method !== undefined && (Object.hasOwn(requests, method) || absentServices.has(method))
    // Do not record a name that a client invented.
    const name = known ? method : 'unknown'
    if (name === 'requestEntry') {
      const { traceparent } = this.#request.headers
      this.#join ??= startSpan('join', { kind: 'server', parent: { traceparent } })
    }
    const step = STEPS.has(name)
    const span = startSpan(`socket ${name}`, {
      kind: 'server',
      parent: (step ? this.#join : undefined) ?? 'none',
    })
    if (!span) return undefined
    return {
      run: (work) => span.run(work),
      answered: (answer) => {
        const code = 'refusal' in answer ? answer.refusal.code : undefined
        span.end(code)
        if (step && code !== undefined) this.#end(code)
      },
    }
  }

  joined(entry: 'direct' | 'admitted', meetingId: string, sessionId: string | undefined): void {
    this.#join?.set({
      'anteroom.entry': entry,
      'anteroom.meeting_id': meetingId,
      ...(sessionId !== undefined && { 'anteroom.session_id': sessionId }),
    })
    this.#end()
  }

  gone(): void {
    this.#end('GONE')
  }

  #end(failure?: string): void {
    this.#join?.end(failure)
    this.#join = undefined
  }
}
