/** Opens a span for each HTTP request that passed the gate. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isTracing, startSpan, type Span } from '../../tracing/tracing.ts'

/** Adds nothing while tracing is off. Records the route, never the URL, which may contain ids of people. */
export function traceRequests(app: FastifyInstance): void {
  if (!isTracing()) return
  const spans = new WeakMap<FastifyRequest, Span>()
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, id, headers, routeOptions } = request
    const route = routeOptions.url ?? 'none'
    const span = startSpan(`${method} ${route}`, {
      kind: 'server',
      parent: { traceparent: headers.traceparent },
      attributes: { 'http.request.method': method, 'http.route': route, 'anteroom.request_id': id },
    })
    if (span) spans.set(request, span)
    done()
  })
  // After the body is parsed: the parser's callback loses the async context.
  app.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request)
    if (span) span.run(done)
    else done()
  })
  app.addHook('onRequestAbort', (request, done) => {
    spans.get(request)?.end('ABORTED')
    done()
  })
  app.addHook('onResponse', (request, { statusCode }, done) => {
    const span = spans.get(request)
    span?.set({ 'http.response.status_code': statusCode })
    span?.end(statusCode >= 500 ? String(statusCode) : undefined)
    done()
  })
}
