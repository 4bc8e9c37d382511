/**
 * Lets the pages of every origin call the API and read its answers, as a token and no cookie decides. The headers never differ,
 * so they are written out here: `@fastify/cors` works them out anew for each answer.
 */
import type { FastifyInstance } from 'fastify'
import { REQUEST_ID_HEADER } from './request-id.ts'

const EXPOSED = `${REQUEST_ID_HEADER}, retry-after`
export const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'] as const
const MAX_AGE_SECONDS = 86_400

/** Lets the pages of every origin read an answer, the request id and the time to wait included. */
export const readableByPages = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': EXPOSED,
} as const

/** Adds the headers to every answer, but those of routes with `cors: false`; and answers preflights. */
export function answerPreflights(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.cors === false) {
      done()
      return
    }
    void reply.headers(readableByPages)
    // Whether a preflight or not: that is how the published samples answer (contract, rest-and-tokens §2).
    if (request.method !== 'OPTIONS') {
      done()
      return
    }
    const asked = request.headers['access-control-request-headers']
    void reply
      .code(204)
      .headers({
        vary: 'Access-Control-Request-Headers',
        'access-control-allow-methods': METHODS.join(', '),
        'access-control-max-age': String(MAX_AGE_SECONDS),
        'content-length': '0',
        ...(asked !== undefined && { 'access-control-allow-headers': asked }),
      })
      .send()
  })
}
