/**
 * Older spellings of addresses that published clients still use. Each is derived from its current route and marked as
 * deprecated in the API document. An older call with other fields or another answer is a route of its own, next to its
 * successor.
 */
import type { FastifyInstance } from 'fastify'

const olderPaths: Readonly<Record<string, readonly string[]>> = {
  'GET /v2/rooms': ['/v1/meetings', '/api/meetings'],
  'POST /v2/rooms': ['/v1/meetings', '/api/meetings'],
  'GET /v2/rooms/:id': ['/v1/meetings/:id', '/api/meetings/:id'],
  'POST /v2/rooms/validate/:id': ['/v1/meetings/:id', '/api/meetings/:id'],
  'GET /v2/sessions': ['/v1/meeting-sessions'],
  'GET /v2/sessions/:sessionId': ['/v1/meeting-sessions/:sessionId'],
}

/** Call this before registering routes: each one is then also registered under its older spellings. */
export function registerOlderPaths(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      for (const url of olderPaths[`${method} ${route.url}`] ?? []) {
        const schema = { ...route.schema, deprecated: true }
        app.route({ ...route, method: method, url, schema })
      }
    }
  })
}

/** Two published conventions together lead to `/v2/v2/…`, which is served as `/v2/…`. */
export function withoutDoubledPrefix(url: string): string {
  return url.startsWith('/v2/v2/') ? url.slice(3) : url
}
