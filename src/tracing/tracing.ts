/**
 * Where time goes: spans of requests, joins and deliveries. What is begun inside a span belongs to it by itself, through
 * everything that is awaited. While nobody traces, a span costs one comparison and no library is loaded.
 * Attributes name no person and hold no secret: ids of requests, connections, meetings, sessions and deliveries alone.
 */

export type Attributes = Record<string, string | number | boolean>

export interface SpanOptions {
  kind?: 'server' | 'client'
  attributes?: Attributes
  /**
   * What it belongs to: a span; what a caller's `traceparent` header names, if it is well formed; or nothing. By default the
   * span inside which it is begun.
   */
  parent?: Span | { traceparent: unknown } | 'none'
}

export interface Span {
  /** Does `work` inside this span. */
  run<T>(work: () => T): T
  set(attributes: Attributes): void
  /** Idempotent. `failure` is a code, no sentence: a sentence may quote what a caller sent. */
  end(failure?: string): void
}

export interface Tracer {
  start(name: string, options: SpanOptions): Span
}

let tracer: Tracer | undefined

/** From now on spans go to this tracer; undefined: to none. */
export function traceWith(next: Tracer | undefined): void {
  tracer = next
}

export function isTracing(): boolean {
  return tracer !== undefined
}

/** Undefined while nobody traces. Whoever gets one ends it. */
export function startSpan(name: string, options: SpanOptions = {}): Span | undefined {
  return tracer?.start(name, options)
}

/** Does `work` inside a span that lasts as long. */
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
