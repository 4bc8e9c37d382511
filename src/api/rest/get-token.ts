/** `GET /get-token`: returns a signed access token for an API key and secret (contract, rest-and-tokens §2). */
import type { FastifyInstance } from 'fastify'
import type { HttpContext } from '../context.ts'
import {
  createMinter,
  knownPermissions,
  parseDuration,
  type Minter,
  type SigningKey,
} from '../../token/token.ts'
import { problemOfParticipantId, problemOfRoomId } from '../../protocol/ids.ts'
import { Refusal } from '../../protocol/errors.ts'
import { TokenAnswer, TokenQuery } from '../../protocol/rest/tokens.ts'
import { assertOrigin } from '../context.ts'
import { mintingKey } from './minting-key.ts'
import { describeOnly } from './describe.ts'

const PARAMETERS = ['roomId', 'participantId', 'peerId', 'permissions', 'expiresIn'] as const

interface TokenRequest {
  roomId?: string
  participantId?: string
  permissions?: string[]
  expiresInSeconds?: number
}

export function getTokenRoutes(
  app: FastifyInstance,
  context: Pick<HttpContext, 'settings' | 'keys' | 'gate' | 'owner' | 'now'>,
): void {
  // Work that depends only on the key is done once per key; a rotated key is another object.
  const minters = new WeakMap<SigningKey, Minter>()
  const minterOf = (key: SigningKey): Minter => {
    let minter = minters.get(key)
    if (!minter) {
      minter = createMinter({ apiKey: key.apiKey, secret: key.secret, now: context.now })
      minters.set(key, minter)
    }
    return minter
  }

  // A field may be in the query or in the body; a refusal names the one that is wrong.
  const described = describeOnly({
    summary: 'Get an access token with an API key and its secret',
    tag: 'Tokens',
    access: 'key',
    description:
      'Needs no credentials at the server’s own machine, or where the server gives tokens to everybody. ' +
      'The fields may stand in the body of the GET instead, as some published samples send them.',
    query: TokenQuery,
    answer: TokenAnswer,
  })
  app.get('/get-token', described, (request, reply) => {
    context.gate.assertMayGuess(request.raw)
    const key = mintingKey(request, context)
    assertOrigin(request, key, context.settings)
    const asked = readTokenRequest(
      request.query as Record<string, unknown>,
      request.body as Record<string, unknown> | undefined,
    )
    const scoped = asked.roomId !== undefined || asked.participantId !== undefined
    void reply.header('cache-control', 'no-store')
    return {
      token: minterOf(key).mint({
        ...asked,
        ...(scoped && { version: 2, roles: ['rtc'] }),
      }),
    }
  })
}

/** Refuses invalid, empty or unknown values: a token never permits more than was requested. */
function readTokenRequest(
  query: Record<string, unknown>,
  body: Record<string, unknown> | undefined,
): TokenRequest {
  const given: Partial<Record<(typeof PARAMETERS)[number], unknown>> = {}
  for (const name of PARAMETERS) {
    const [asked, bodied] = [query[name], body?.[name]]
    if (asked !== undefined && bodied !== undefined && JSON.stringify(asked) !== JSON.stringify(bodied)) {
      throw wrong(name, 'is given twice, with two values')
    }
    const value = asked ?? bodied
    if (value !== undefined) given[name] = value
  }
  const { roomId, participantId, peerId, permissions, expiresIn } = given
  if (participantId !== undefined && peerId !== undefined && participantId !== peerId) {
    throw wrong('peerId', 'and participantId name two participants')
  }
  const participant = participantId ?? peerId
  return {
    ...(roomId !== undefined && { roomId: readId(roomId, 'roomId', problemOfRoomId) }),
    ...(participant !== undefined && {
      participantId: readId(
        participant,
        participantId === undefined ? 'peerId' : 'participantId',
        problemOfParticipantId,
      ),
    }),
    ...(permissions !== undefined && { permissions: readPermissions(permissions) }),
    ...(expiresIn !== undefined && { expiresInSeconds: parseDuration(expiresIn) }),
  }
}

function readId(value: unknown, name: string, problemOf: (value: string) => string | undefined): string {
  if (typeof value !== 'string') throw wrong(name, 'must be one text')
  const problem = problemOf(value)
  if (problem !== undefined) throw wrong(name, problem)
  return value
}

/**
 * A list, or a comma-separated text. `ask_join` wins over `allow_mod`, because the prebuilt page sends both and means that
 * (contract, rest-and-tokens §0.8); with `allow_join` it is a contradiction.
 */
function readPermissions(value: unknown): string[] {
  const list: unknown[] =
    typeof value === 'string' ? value.split(',').map((one) => one.trim()) : Array.isArray(value) ? value : []
  const known: readonly unknown[] = knownPermissions
  if (list.length === 0 || list.length > known.length || !list.every((one) => known.includes(one))) {
    throw wrong('permissions', `must be some of ${knownPermissions.join(', ')}`)
  }
  const asked = new Set(list as string[])
  if (asked.has('ask_join')) {
    if (asked.has('allow_join')) throw wrong('permissions', 'cannot hold both allow_join and ask_join')
    return ['ask_join']
  }
  return [...asked]
}

function wrong(name: string, what: string): Refusal {
  return new Refusal('INVALID_REQUEST', { message: `${name} ${what}.` })
}
