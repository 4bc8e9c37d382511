/** The token server alone, in front of any meeting service with the same contract (rest-and-tokens §2). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { HttpListener } from './http/server.ts'
import type { KeyRing } from '../project/key-ring.ts'
import { Refusal } from '../protocol/errors.ts'
import { isRoomId } from '../protocol/ids.ts'
import { tokenOf, type HttpSettings } from './context.ts'
import type { Gate } from './limits/gate.ts'
import type { Owner } from './http/owner.ts'
import { getTokenRoutes } from './rest/get-token.ts'
import { bareHttp } from './http/server.ts'

export interface TokenServerOptions {
  settings: HttpSettings
  /** With or without `/v2` at the end. */
  endpoint: string
  key: { apiKey: string; secret: string }
  now: () => number
  gate: Gate
  owner: Owner
  log: Logger
}

const UPSTREAM_TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 1024 * 1024

export function buildTokenServer(options: TokenServerOptions): HttpListener {
  const { settings, endpoint, key, gate, owner, now, log } = options
  const app = bareHttp(log, { gate, settings })
  const signing = { ...key, projectId: '', revoked: false, origins: null }
  const keys = {
    find: (apiKey: string) => (apiKey === key.apiKey ? signing : undefined),
    defaultKey: () => signing,
  } as unknown as KeyRing
  getTokenRoutes(app, { settings, keys, gate, owner, now })
  const upstream = `${endpoint.replace(/\/+$/, '').replace(/\/v2$/, '')}/v2`

  const forward = async (
    request: FastifyRequest,
    reply: FastifyReply,
    method: string,
    path: string,
    body?: unknown,
  ) => {
    const token = tokenOf(request)
    if (token === '') throw new Refusal('INVALID_TOKEN')
    let answer: Response
    let text: string
    try {
      answer = await fetch(upstream + path, {
        method,
        headers: { authorization: token, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.timeout(UPSTREAM_TIMEOUT_MS),
      })
      text = await readBounded(answer)
    } catch (cause) {
      throw new Refusal('UPSTREAM_UNAVAILABLE', { cause })
    }
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      // Clients parse every answer, so only JSON is passed on.
      throw new Refusal('UPSTREAM_UNAVAILABLE', {
        message: 'The meeting service behind this server did not answer with JSON.',
        cause,
      })
    }
    if (answer.status < 200 || (answer.status >= 300 && answer.status < 400))
      throw new Refusal('UPSTREAM_UNAVAILABLE')
    return reply.code(answer.status).send(value)
  }

  const create = (request: FastifyRequest, reply: FastifyReply) => {
    const { token: _, ...body } = (request.body ?? {}) as Record<string, unknown>
    return forward(request, reply, 'POST', '/rooms', body)
  }
  const validate = (request: FastifyRequest, reply: FastifyReply) => {
    const { id } = request.params as { id: string }
    // Some ids would lead to another path of the meeting service.
    if (!isRoomId(id)) throw new Refusal('INVALID_REQUEST', { message: 'RoomId is invalid.' })
    return forward(request, reply, 'GET', `/rooms/validate/${encodeURIComponent(id)}`)
  }
  app.get('/', () => ({ hello: 'Anteroom token server' }))
  for (const path of ['/create-meeting', '/create-room']) app.post(path, create)
  for (const path of ['/validate-meeting/:id', '/validate-room/:id']) {
    app.get(path, validate)
    app.post(path, validate)
  }
  return app
}

async function readBounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
