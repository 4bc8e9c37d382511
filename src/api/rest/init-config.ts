/**
 * `POST /infra/v1/meetings/init-config`: answers where to connect, or refuses as the app will see it (contract, signalling
 * §1.1). The socket checks everything again, because a client may skip this.
 */
import { createHmac } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isOfKnock, type Grant } from '../../token/token.ts'
import type { HttpSettings, Routes } from '../context.ts'
import { Refusal } from '../../protocol/errors.ts'
import { InitConfig, InitConfigBody, InitConfigRefusal } from '../../protocol/rest/joining.ts'
import { grantFor, meetingFor } from './authorise.ts'
import { baseUrlOf, hostOf } from '../http/base-url.ts'
import { describeOnly } from './describe.ts'
import { PROTOO_PATH } from '../signalling/protoo.ts'

/** Long enough for the longest session, because they are issued once. */
const TURN_TTL_SECONDS = 86_400
/** For a token that must ask to join: the time after the longest wait until its holder has joined and set up transports. */
const TURN_TTL_ASKING_SECONDS = 3600

export const initConfigRoutes: Routes = (app, context) => {
  const { settings, mediaStatus, door, gate, metrics, now, newId, log } = context
  // All refusals go to the app by their numbers, including that of an invalid field.
  const described = describeOnly({
    summary: 'Get the addresses for joining a meeting',
    audit: null,
    tag: 'Joining',
    access: 'token',
    action: 'enter',
    about: {
      meeting: ({ body }) => {
        const { roomId } = (body ?? {}) as { roomId?: unknown }
        return typeof roomId === 'string' ? roomId : ''
      },
    },
    body: InitConfigBody,
    answer: InitConfig,
    refusals: ['UNAUTHORIZED_PARTCIPANT_ID', 'MEETING_ID_DISABLED', 'MEDIA_UNAVAILABLE', 'MEDIA_PREPARING'],
    refusalBody: InitConfigRefusal,
  })
  /** The code is a number, unlike in the rest of REST, because the published clients read it so (docs/decisions/0007). */
  const errorHandler = (error: Error, request: FastifyRequest, reply: FastifyReply): unknown => {
    if (!(error instanceof Refusal)) throw error
    const refusal = gate.limitAuthFailures(request.raw, error)
    if (refusal.code === 'SOMETHING_WENT_WRONG') throw error
    metrics.refused('http', refusal)
    if (refusal.code !== 'RATE_LIMITED')
      log.info(
        { requestId: request.id, code: refusal.code, reason: refusal.reason },
        'refused a client at init-config',
      )
    if (refusal.retryAfterSeconds !== undefined) void reply.header('retry-after', refusal.retryAfterSeconds)
    const media = mediaStatus()
    return reply.code(refusal.status).send({
      statusCode: refusal.status,
      error: refusal.message,
      message: refusal.message,
      code: refusal.number,
      name: refusal.code,
      ...(refusal.code === 'MEDIA_PREPARING' && !media.available && { preparing: media.preparing }),
    })
  }
  /** Where to connect, in every answer. */
  const here = (request: FastifyRequest) => {
    const prefix =
      settings.publicUrl === undefined ? '' : new URL(settings.publicUrl).pathname.replace(/\/$/, '')
    return {
      baseUrl: hostOf(request, settings),
      ...(prefix !== '' && { socketPath: prefix }),
      signalingUrl: `${baseUrlOf(request, settings).replace(/^http/, 'ws').replace(/\/$/, '')}${PROTOO_PATH}`,
      // Published clients expect ciphertext; an empty text means "none".
      iceServers: '' as const,
      observability: { jwt: null, traces: { enabled: false }, logs: { enabled: false }, metaData: {} },
    }
  }
  /**
   * Every refusal also contains this address. Clients up to 0.2.10 ignore the status, and without `data` they would connect to the hosted
   * service with the token in the URL (contract, older-clients §1.2). They get the refusal on the socket.
   */
  const preSerialization = (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (error: null, payload: unknown) => void,
  ): void => {
    const refused = reply.statusCode >= 400 && typeof payload === 'object'
    done(null, refused ? { ...payload, data: { ...here(request), iceServersPlain: [] } } : payload)
  }
  app.post(
    '/infra/v1/meetings/init-config',
    { ...described, errorHandler, preSerialization },
    async (request) => {
      const grant = grantFor(request)
      const meeting = meetingFor(request)
      const { isKnown } = await door.assertOpen(grant, meeting)
      // Anybody can knock, so the relay waits until somebody let them in; the page asks again then.
      const mayRelay = isKnown || !isOfKnock(grant)
      return {
        data: {
          ...here(request),
          iceServersPlain: mayRelay ? iceServers(settings, grant.entry, { now: now(), name: newId() }) : [],
          encryption: meeting.settings.encryption ?? 'optional',
          maxFileBytes: settings.maxFileBytes,
        },
      }
    },
  )
}

/** Short-lived TURN credentials: the user name is the instant of expiry, the password its HMAC under the shared secret. */
export function iceServers(
  {
    turnUrls,
    turnSecret,
    lobbyTimeoutSeconds,
  }: Pick<HttpSettings, 'turnUrls' | 'turnSecret' | 'lobbyTimeoutSeconds'>,
  entry: Grant['entry'],
  caller: TurnCaller,
): { urls: readonly string[]; username?: string; credential?: string }[] {
  if (turnUrls.length === 0) return []
  // This caller may not be admitted yet. An open TURN allocation outlives its credentials: coturn checks them only on creation.
  const ttlSeconds = entry === 'ask' ? lobbyTimeoutSeconds + TURN_TTL_ASKING_SECONDS : TURN_TTL_SECONDS
  return [{ urls: turnUrls, ...turnAccount({ turnSecret }, ttlSeconds, caller) }]
}

/** `name`: TURN servers count the allocations of each, so every caller has its own. */
interface TurnCaller {
  now: number
  name: string
}

/** What TURN servers take for this time; undefined without their secret. */
export function turnAccount(
  { turnSecret }: Pick<HttpSettings, 'turnSecret'>,
  ttlSeconds: number,
  { now, name }: TurnCaller,
): { username: string; credential: string } | undefined {
  if (turnSecret === undefined) return undefined
  const username = `${Math.floor(now / 1000) + ttlSeconds}:${name}`
  return { username, credential: createHmac('sha1', turnSecret).update(username).digest('base64') }
}
