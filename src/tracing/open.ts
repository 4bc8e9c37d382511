/** Sends spans to an OpenTelemetry collector, by OTLP over HTTP. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout } from 'node:timers/promises'
import type { Context, Span as OtelSpan } from '@opentelemetry/api'
import type { SpanExporter } from '@opentelemetry/sdk-trace'
import { currentTrace } from '../log.ts'
import { traceWith, type Attributes, type Span, type SpanOptions, type Tracer } from './tracing.ts'

export interface TracingOptions {
  /** Base URL of the collector; spans go to `v1/traces` below it. */
  endpoint: string
  headers: Readonly<Record<string, string>>
  serviceName: string
  version: string
  /** Share of the traces that begin here, from 0 to 1; a caller decides about its own traces. */
  share: number
  /** Called when the collector stops accepting spans, or accepts them again. */
  onTrouble: (cause: Error | undefined) => void
}

export interface Tracing {
  /** Sends what is left, within a short time limit. */
  close(): Promise<void>
}

const EXPORT_TIMEOUT_MS = 5000
const CLOSE_TIMEOUT_MS = 2000
/** The maximum length of an attribute, in characters. */
const MAX_VALUE_LENGTH = 256
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** Traces the whole process until closed. */
export async function openTracing(options: TracingOptions): Promise<Tracing> {
  // Loaded only if tracing is on.
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const { endpoint, headers, serviceName, version, share, onTrouble } = options
  const collector = new OTLPTraceExporter({
    url: `${endpoint}/v1/traces`,
    headers: { ...headers },
    timeoutMillis: EXPORT_TIMEOUT_MS,
  })
  let works = true
  const heard = (trouble: Error | undefined): void => {
    const taken = trouble === undefined
    if (taken !== works) onTrouble(trouble)
    works = taken
  }
  const exporter: SpanExporter = {
    export: (spans, done) =>
      collector.export(spans, (result) => {
        heard(result.error)
        done(result)
      }),
    forceFlush: () => collector.forceFlush(),
    shutdown: () => collector.shutdown(),
  }
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(share) }),
    spanLimits: { attributeValueLengthLimit: MAX_VALUE_LENGTH },
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
  })
  const tracer = provider.getTracer('anteroom', version)
  const current = new AsyncLocalStorage<Context>()
  const kinds = { server: api.SpanKind.SERVER, client: api.SpanKind.CLIENT }

  class LiveSpan implements Span {
    readonly context: Context
    readonly #span: OtelSpan
    #ended = false

    constructor(span: OtelSpan) {
      this.#span = span
      this.context = api.trace.setSpan(api.ROOT_CONTEXT, span)
    }

    run<T>(work: () => T): T {
      return current.run(this.context, work)
    }

    set(attributes: Attributes): void {
      this.#span.setAttributes(attributes)
    }

    end(failure?: string): void {
      if (this.#ended) return
      this.#ended = true
      if (failure !== undefined)
        this.#span
          .setStatus({ code: api.SpanStatusCode.ERROR, message: failure })
          .setAttribute('error.type', failure)
      this.#span.end()
    }
  }

  const contextOf = (parent: SpanOptions['parent']): Context => {
    if (parent === undefined) return current.getStore() ?? api.ROOT_CONTEXT
    if (parent instanceof LiveSpan) return parent.context
    const named = typeof parent === 'object' && 'traceparent' in parent ? parent.traceparent : undefined
    const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(String(named)) ?? []
    const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
    return api.isSpanContextValid(context)
      ? api.trace.setSpanContext(api.ROOT_CONTEXT, context)
      : api.ROOT_CONTEXT
  }

  const ours: Tracer = {
    start: (name, { kind, attributes, parent }) => {
      const { requestId, connection } = currentTrace()
      const about = {
        ...(requestId !== undefined && { 'anteroom.request_id': requestId }),
        ...(connection !== undefined && { 'anteroom.connection': connection }),
        ...attributes,
      }
      const options = { attributes: about, ...(kind && { kind: kinds[kind] }) }
      return new LiveSpan(tracer.startSpan(name, options, contextOf(parent)))
    },
  }
  traceWith(ours)
  return {
    close: async () => {
      traceWith(undefined)
      const sent = provider.shutdown().then(
        () => undefined,
        (error: unknown) => error as Error,
      )
      const late = new Error('The collector did not accept the last spans in time.')
      const trouble = await Promise.race([sent, setTimeout(CLOSE_TIMEOUT_MS, late, { ref: false })])
      if (trouble) heard(trouble)
    },
  }
}
