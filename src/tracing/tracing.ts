/**
 * Tracing: spans of requests, joins and deliveries. A span that begins inside another one belongs to it, through
 * everything that is awaited. While tracing is off, a span costs one comparison, and no library is loaded.
 * Attributes name no person and contain no secret: only ids of requests, connections, meetings, sessions and deliveries.
 */

export type Attributes = Record<string, string | number | boolean>

export interface SpanOptions {
  kind?: 'server' | 'client'
  attributes?: Attributes
  /**
   * The parent: a span; the span in a caller's `traceparent` header, if it is well formed; or none. Default: the
   * present span.
   */
  parent?: Span | { traceparent: unknown } | 'none'
}

export interface Span {
  /** Runs `work` inside this span. */
  run<T>(work: () => T): T
  set(attributes: Attributes): void
  /** Idempotent. `failure` is a code, never a sentence, because a sentence may quote what a caller sent. */
  end(failure?: string): void
}

export interface Tracer {
  start(name: string, options: SpanOptions): Span
}

let tracer: Tracer | undefined

/** Sets the tracer that receives spans; undefined: none. */
export function traceWith(next: Tracer | undefined): void {
  tracer = next
}

export function isTracing(): boolean {
  return tracer !== undefined
}

/** Begins a span that the caller must end. Returns undefined while tracing is off. */
export function startSpan(name: string, options: SpanOptions = {}): Span | undefined {
  return tracer?.start(name, options)
}

/** Runs `work` inside a span that lasts as long. */
export function traced<T>(
  name: string,
  work: (span?: Span) => Promise<T>,
  options: SpanOptions = {},
): Promise<T> {
  if (!tracer) return work()
  const span = tracer.start(name, options)
  return span.run(async () => {
    try {
      return await work(span)
    } catch (error) {
      const { code } = (error ?? {}) as { code?: unknown }
      span.end(typeof code === 'string' ? code : 'FAILED')
      throw error
    } finally {
      span.end()
    }
  })
}
