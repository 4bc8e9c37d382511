/**
 * Lets pages of every origin call the API and read its answers, because tokens decide, not cookies. The headers are always the same,
 * so they are constants here; `@fastify/cors` would compute them for each answer.
 */
import type { FastifyInstance } from 'fastify'
import { REQUEST_ID_HEADER } from './request-id.ts'

const EXPOSED = `${REQUEST_ID_HEADER}, retry-after, Location, ETag, Link`
/** The endpoints of WHIP and WHEP, which tell what they take (RFC 9725, section 4.2), and their sessions. */
const STREAMS = /^\/(v2\/)?(whip|whep)(\/|\?|$)/
export const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'] as const
const MAX_AGE_SECONDS = 86_400

/** Lets pages of every origin read an answer, including the request id, the time to wait, and what WHIP and WHEP clients need. */
export const readableByPages = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': EXPOSED,
} as const

/** Adds the headers to every answer except those of routes with `cors: false`, and answers preflights. */
export function answerPreflights(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.cors === false) {
      done()
      return
    }
    void reply.headers(readableByPages)
    // Answer any OPTIONS request, preflight or not, as the published samples do (contract, rest-and-tokens §2).
    if (request.method !== 'OPTIONS') {
      done()
      return
    }
    const asked = request.headers['access-control-request-headers']
    const isStream = STREAMS.test(request.url)
    void reply
      .code(isStream ? 200 : 204)
      .headers({
        ...(isStream && { 'accept-post': 'application/sdp' }),
        vary: 'Access-Control-Request-Headers',
        'access-control-allow-methods': METHODS.join(', '),
        'access-control-max-age': String(MAX_AGE_SECONDS),
        'content-length': '0',
        ...(asked !== undefined && { 'access-control-allow-headers': asked }),
      })
      .send()
  })
}
