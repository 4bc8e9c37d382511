/** The HTTP server: how requests are read, how refusals are answered, and which routes there are. */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer, ServerOptions as HttpsOptions } from 'node:https'
import { fastify, type FastifyInstance } from 'fastify'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { Logger } from 'pino'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { authoriseOperator, authoriseSubject, authoriseToken, isByOperator } from '../rest/authorise.ts'
import type { HttpContext } from '../context.ts'
import { runWithTrace } from '../../log.ts'
import { asRefusal, Refusal, restErrorBody } from '../../protocol/errors.ts'
import { MAX_WORDS_LENGTH } from '../../protocol/ids.ts'
import { adminRoutes } from '../rest/admin/routes.ts'
import { auditCalls } from '../rest/audit-calls.ts'
import { asyncapiRoutes } from '../rest/asyncapi.ts'
import { parseBody } from './body.ts'
import { traceRequests } from './traced-requests.ts'
import { answerPreflights, METHODS, readableByPages } from './cors.ts'
import { CHAT_PATH } from '../chat/sockets.ts'
import { assertDeclared, validateByDescription, type TypedApp } from '../rest/describe.ts'
import { noteRoles } from '../rest/refused-operations.ts'
import { fileRoutes } from '../rest/files.ts'
import type { Gate } from '../limits/gate.ts'
import { getTokenRoutes } from '../rest/get-token.ts'
import { healthRoutes } from '../rest/health.ts'
import { initConfigRoutes } from '../rest/init-config.ts'
import { inviteRoutes } from '../rest/invites.ts'
import { knockRoutes } from '../rest/knock.ts'
import { documentRoutes, openapiRoutes } from '../rest/openapi.ts'
import { pageRoutes } from '../rest/page.ts'
import { revokedTokenRoutes } from '../rest/revoked-tokens.ts'
import { streamRoutes } from '../media/routes.ts'
import { liveRoutes } from '../rest/live.ts'
import { outputFileRoutes } from '../rest/outputs/files.ts'
import { CHECK_SOCKET_PATH } from '../../protocol/check.ts'
import { WHITEBOARD_SOCKET_PATH } from '../../protocol/whiteboard.ts'
import { participantMergeRoutes } from '../rest/outputs/participant-merges.ts'
import { compositeRecordingRoutes } from '../rest/outputs/composite-recordings.ts'
import { participantRecordingRoutes } from '../rest/outputs/participant-recordings.ts'
import { hlsRoutes } from '../rest/outputs/hls.ts'
import { livestreamRoutes } from '../rest/outputs/livestreams.ts'
import { recordingRoutes } from '../rest/outputs/recordings.ts'
import { transcodingRoutes } from '../rest/outputs/transcodings.ts'
import { postTranscriptionRoutes } from '../rest/outputs/post-transcriptions.ts'
import { transcriptionRoutes } from '../rest/outputs/transcriptions.ts'
import { sessionRoutes } from '../rest/sessions/routes.ts'
import { wantsProtoo } from '../signalling/protoo.ts'
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.ts'
import { registerOlderPaths, withoutDoubledPrefix } from '../rest/older-paths.ts'
import { roomRoutes } from '../rest/rooms.ts'
import { guardPlainDoor, mustBeSecure, type PlainDoor } from './plain-door.ts'
import { hasNull, hasWholeEscapes } from './url-text.ts'
import { watchingRoutes } from '../rest/watching.ts'
import { webhookRoutes } from '../rest/webhooks.ts'

export type { HttpContext } from '../context.ts'

/** What `src/server/` needs from a listener. */
export interface HttpListener {
  server: HttpServer | HttpsServer
  listen(at: { host: string; port: number }): Promise<unknown>
  close(): Promise<unknown>
}

const BODY_LIMIT_BYTES = 256 * 1024
/** The longest id in a path. The router counts some characters, such as `/`, as their escapes of three characters. */
const ROUTING = { ignoreTrailingSlash: true, maxParamLength: 3 * MAX_WORDS_LENGTH }
/** The interval of the check for requests that take too long to arrive. */
const TIMEOUT_CHECK_MS = 1000
/** The path of socket.io and everything below it. */
const SOCKET_PATH = '/socket.io/'
/** The only route with a login name and a secret: it makes a browser ask its user for them. */
const TAKES_BASIC = '/get-token'

/** With `tls`, a listener over HTTPS; with `plain`, one that sends callers there. */
export interface Listening {
  tls?: Pick<HttpsOptions, 'cert' | 'key' | 'ALPNCallback'>
  plain?: PlainDoor | undefined
}

/** Creates the HTTP server. */
export function buildHttp(context: HttpContext, { tls, plain }: Listening = {}): HttpListener {
  const { gate, metrics, settings } = context
  const app = bareHttp(context.log, {
    gate,
    settings,
    tls,
    plain,
    onRefusal: (refusal) => metrics.refused('http', refusal),
    onAnswer: ({ method, route, status, ms }) => metrics.answered(method, route, status, ms / 1000),
  }).withTypeProvider<TypeBoxTypeProvider>()
  // Before validation, so that unauthorised callers learn nothing about the shape of a call.
  app.addHook('preValidation', (request, reply, done) => {
    const { access, role, action, about } = request.routeOptions.config
    const byOperator = access === 'token' && isByOperator(request)
    try {
      if (access === 'admin' || byOperator) {
        void reply.header('cache-control', 'no-store')
        const authorised = byOperator
          ? authoriseOperator(request, context, action!)
          : context.admin.authorise(request, role!).then((identity) => {
              request.operator = identity
            })
        authorised.then(() => done(), done)
        return
      }
      if (access === 'token') gate.countKey(authoriseToken(request, context, action!, about!).apiKey)
      done()
    } catch (error) {
      done(error as Error)
    }
  })
  app.decorateRequest('authorised', null)
  auditCalls(app, context)
  app.decorateRequest('operator', null)
  // After validation, because it reads the fields. The handler finds the grant and the meeting on the request.
  app.addHook('preHandler', (request, _reply, done) => {
    const { access, action, about } = request.routeOptions.config
    if (access !== 'token') done()
    else {
      authoriseSubject(request, context, action!, about!).then(
        () => done(),
        // `done(undefined)` means success.
        (error: unknown) =>
          done(error instanceof Error ? error : new Error('failed to authorise', { cause: error })),
      )
    }
  })
  documentRoutes(app, context)
  void app.register((documented: TypedApp, _options, done) => {
    documented.addHook('onRoute', assertDeclared)
    noteRoles(documented)
    registerOlderPaths(documented)
    for (const routes of [
      healthRoutes,
      watchingRoutes,
      getTokenRoutes,
      roomRoutes,
      sessionRoutes,
      liveRoutes,
      streamRoutes,
      // Before the recordings of participants, whose ids could have any name.
      participantMergeRoutes,
      compositeRecordingRoutes,
      participantRecordingRoutes,
      transcodingRoutes,
      recordingRoutes,
      transcriptionRoutes,
      postTranscriptionRoutes,
      hlsRoutes,
      livestreamRoutes,
      outputFileRoutes,
      initConfigRoutes,
      inviteRoutes,
      knockRoutes,
      adminRoutes,
      revokedTokenRoutes,
      fileRoutes,
      webhookRoutes,
      pageRoutes,
      openapiRoutes,
      asyncapiRoutes,
    ]) {
      routes(documented, context)
    }
    done()
  })
  return app
}

export interface BareHttpOptions {
  gate: Gate
  settings: Pick<HttpContext['settings'], 'headersTimeoutSeconds' | 'requestTimeoutSeconds'>
  tls?: Listening['tls'] | undefined
  plain?: PlainDoor | undefined
  /** A refusal was sent. */
  onRefusal?: (refusal: Refusal) => void
  onAnswer?: (answer: { method: string; route: string; status: number; ms: number }) => void
}

/** A server that reads, answers, refuses and logs, but has no routes yet. */
export function bareHttp(log: Logger, options: BareHttpOptions): FastifyInstance {
  const { gate, settings, tls, plain, onRefusal = () => undefined, onAnswer = () => undefined } = options
  const answerRefusal = (refusal: Refusal, requestId: string, reply: Answer): Answer => {
    onRefusal(refusal)
    if (refusal.code === 'SOMETHING_WENT_WRONG' || refusal.code === 'STORE_UNAVAILABLE')
      log.error({ err: refusal.cause, requestId }, 'failed to answer a request')
    if (refusal.retryAfterSeconds !== undefined)
      reply.header('retry-after', String(refusal.retryAfterSeconds))
    return reply.code(refusal.status).send(restErrorBody(refusal))
  }
  const headersTimeout = settings.headersTimeoutSeconds * 1000
  const requestTimeout = Math.max(settings.requestTimeoutSeconds * 1000, headersTimeout)
  const listening = {
    shouldUpgradeCallback: (request: IncomingMessage) => {
      const socket = socketOf(request)
      if (plain && mustBeSecure(request, plain.secureOrigin)) return false
      return socket !== undefined && gate.mayUpgrade(request, { waits: socket === 'meeting' })
    },
    headersTimeout,
    requestTimeout,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  }
  const app = fastify({
    ...(tls ? { https: { ...tls, ...listening, handshakeTimeout: headersTimeout } } : { http: listening }),
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout,
    requestIdHeader: false,
    forceCloseConnections: true,
    genReqId: ({ headers }) => requestIdOf(headers[REQUEST_ID_HEADER]),
    routerOptions: ROUTING,
    rewriteUrl: (request) => withoutDoubledPrefix(request.url ?? '/'),
    frameworkErrors: (error, request, reply) => {
      // No hook has run for these requests.
      const answer = reply as unknown as Answer
      answer.headers({
        ...readableByPages,
        [REQUEST_ID_HEADER]: request.id,
        'x-content-type-options': 'nosniff',
      })
      void answerRefusal(toRefusal(error), request.id, answer)
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable) return
      const [refusal, phrase] = complaintOf(error)
      onRefusal(refusal)
      const body = JSON.stringify(restErrorBody(refusal))
      socket.end(
        [
          `HTTP/1.1 ${refusal.status} ${phrase}`,
          'content-type: application/json; charset=utf-8',
          `content-length: ${Buffer.byteLength(body)}`,
          ...Object.entries(readableByPages).map(([name, value]) => `${name}: ${value}`),
          `${REQUEST_ID_HEADER}: ${requestIdOf(undefined)}`,
          'connection: close',
          '',
          body,
        ].join('\r\n'),
      )
    },
  }) as unknown as FastifyInstance

  gate.watch(app.server)
  // Before everything else, so that a refused request costs next to nothing.
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request
    const refusal =
      gate.refusalOf(raw) ?? gate.refusalOfBody(raw, reply.raw, () => request.routeOptions.bodyLimit)
    if (refusal && gate.isCut(raw)) {
      onRefusal(refusal)
      reply.hijack()
      raw.socket.destroy()
      return
    }
    void reply.header(REQUEST_ID_HEADER, request.id).header('x-content-type-options', 'nosniff')
    // Do not wait for the rest of its request.
    if (refusal) void reply.headers({ ...readableByPages, connection: 'close' })
    done(refusal)
  })
  if (plain) guardPlainDoor(app, plain)
  traceRequests(app)
  validateByDescription(app)
  // Published samples send the parameters of get-token in the body of the GET (contract, rest-and-tokens §2).
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      done(null, parseBody(bytes as Buffer, request.headers['content-type']))
    } catch (error) {
      done(error as Error)
    }
  })
  answerPreflights(app)
  app.addHook('onRequest', (request, reply, done) => {
    const { headers } = request
    // Fastify gives a body without a content type to no parser.
    if (headers['content-type'] === undefined && hasBody(headers)) headers['content-type'] = 'text/plain'
    // The router checks escapes in the path only.
    const isGood = hasWholeEscapes(request.url) && !hasNull(request.url)
    done(isGood ? undefined : new Refusal('INVALID_REQUEST', { message: BAD_ADDRESS }))
  })
  app.setErrorHandler((error, request, reply) => {
    const refusal = gate.limitAuthFailures(request.raw, toRefusal(error))
    if (refusal.code === 'UNAUTHORIZED') {
      const scheme = request.routeOptions.url === TAKES_BASIC ? 'Basic' : 'Bearer'
      void reply.header('www-authenticate', `${scheme} realm="Anteroom", charset="UTF-8"`)
    }
    return answerRefusal(refusal, request.id, reply)
  })
  // Fastify does not say which other methods an address has: a router of the same kind and the same routes does.
  const routes = findMyWay(ROUTING)
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat() as HTTPMethod[])
      if (one !== 'OPTIONS' && !routes.hasRoute(one, url)) routes.on(one, url, () => undefined)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    const allowed = METHODS.filter((method) => routes.find(method, path) !== null)
    if (allowed.length > 0) void reply.header('allow', allowed.join(', '))
    const refusal = new Refusal(allowed.length > 0 ? 'METHOD_NOT_ALLOWED' : 'NOT_FOUND')
    return answerRefusal(refusal, request.id, reply)
  })
  // After the body is parsed: the parser's callback loses the async context.
  app.addHook('preHandler', (request, _reply, done) => runWithTrace({ requestId: request.id }, done))
  app.addHook('onResponse', (request, reply, done) => {
    const { method, id: requestId } = request
    const { statusCode: status, elapsedTime } = reply
    const ms = Math.round(elapsedTime * 10) / 10
    const route = request.routeOptions.url ?? 'none'
    onAnswer({ method, route, status, ms })
    // Log calls that only read at a lower level.
    const level = method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'debug' : 'info'
    log[level]({ requestId, method, route, status, ms }, 'answered')
    done()
  })
  return app
}

/** Which kind of socket serves an upgrade request. A request for another protocol (usually h2c) gets a normal HTTP answer. */
/** What an upgrade asks for. */
export function socketOf(request: IncomingMessage): 'meeting' | 'chat' | 'whiteboard' | 'check' | undefined {
  const { headers, url = '' } = request
  if (headers.upgrade?.toLowerCase() !== 'websocket') return undefined
  if (wantsProtoo(request)) return 'meeting'
  const path = url.split('?')[0]!
  if (path === CHAT_PATH) return 'chat'
  if (path === WHITEBOARD_SOCKET_PATH) return 'whiteboard'
  if (path === CHECK_SOCKET_PATH) return 'check'
  return path.startsWith(SOCKET_PATH) ? 'meeting' : undefined
}

/** The answer to bytes that are not a valid request. */
function complaintOf({ code }: NodeJS.ErrnoException): [refusal: Refusal, phrase: string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [new Refusal('PAYLOAD_TOO_LARGE'), 'Payload Too Large']
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [new Refusal('REQUEST_TIMEOUT'), 'Request Timeout']
  return [new Refusal('INVALID_REQUEST'), 'Bad Request']
}

interface Answer {
  code(status: number): Answer
  header(name: string, value: string): Answer
  headers(values: Record<string, string>): Answer
  send(body: unknown): Answer
}

const BAD_ADDRESS = 'The address is malformed.'

/** Turns Fastify's errors into refusals; those without a rule of their own go by their status. */
function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const { code, statusCode = 500 } = error as { code?: unknown; statusCode?: number }
  if (code === 'FST_ERR_BAD_URL') return new Refusal('INVALID_REQUEST', { message: BAD_ADDRESS })
  if (code === 'FST_ERR_MAX_PARAM_LENGTH')
    return new Refusal('INVALID_REQUEST', { message: 'An id in the address is too long.' })
  if (statusCode === 413) return new Refusal('PAYLOAD_TOO_LARGE')
  if (statusCode === 416) return new Refusal('RANGE_NOT_SATISFIABLE')
  if (statusCode === 415) return new Refusal('UNSUPPORTED_MEDIA_TYPE')
  if (statusCode === 404) return new Refusal('NOT_FOUND')
  return statusCode >= 400 && statusCode < 500 ? new Refusal('INVALID_REQUEST') : asRefusal(error)
}

function hasBody(headers: Record<string, unknown>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
