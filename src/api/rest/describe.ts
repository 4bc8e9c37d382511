/**
 * Describes a route once: the same schemas validate requests, type the handler and generate the OpenAPI document.
 */
import type {
  FastifyInstance,
  FastifyBaseLogger,
  FastifyContextConfig,
  FastifySchema,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteOptions,
} from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Static, TSchema } from 'typebox'
import type { OperatorRole } from '../../store/store.ts'
import type { About } from './about.ts'
import type { Audit } from './audit.ts'
import { isManagement, permissionsFromOutside, type OutsideAction } from '../../meeting/roster/permissions.ts'
import { Refusal, type ErrorName } from '../../protocol/errors.ts'
import { RefusalBody } from '../../protocol/rest.ts'
import { shape, withTypesOf } from './shapes.ts'

/**
 * Who may call: anybody; a caller with a token, or an operator inside a project; an operator with a role; a caller with an API key and its secret, or one signed in
 * on the page (not needed at the server's own machine).
 */
export type Access = 'open' | 'token' | 'admin' | 'key' | 'page'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Checked before the handler runs. */
    access?: Access
    /** Of a route with access `admin`. */
    role?: OperatorRole
    /** Whether an operator may call it who has yet to set up a second factor that is required. */
    beforeSecondFactor?: true
    /** Of a route with access `token`. */
    action?: OutsideAction
    about?: About
    /** What the audit log keeps of a call; null: nothing. */
    audit?: Audit | null
    /** `false`: pages of other origins cannot read the answer, see `cors.ts`. */
    cors?: false
  }
}

/** A listener whose handlers get their types from the schemas. */
export type TypedApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** A refusal by its code, with a status if that differs from the table's. */
export type DescribedRefusal = ErrorName | { code: ErrorName; status: number }

/** The groups of the API document, in order. */
export const tags = {
  'Token server': 'What the published samples of an app server answer to.',
  Tokens: 'Access tokens for those who hold an API key, and tokens taken out of force.',
  Rooms: 'Meetings: the durable places that people join. A room is a meeting.',
  Joining: 'What an app asks on the way into a meeting, and inside it.',
  Invites: 'Links that let people in without an account, counted and revocable.',
  Sessions: 'What happened in a meeting from its first join to its last leave, and who was there.',
  'WHIP and WHEP': 'Programs that send to a meeting or watch it over WebRTC, without a client of ours.',
  'Live meetings': 'A session that goes on: who is in, who waits, and what may be done about it.',
  Recordings: 'Files of a meeting: started, stopped, listed, fetched and deleted.',
  Transcriptions: 'What is said in a meeting, as text: started, stopped, listed and fetched.',
  Transcodings: 'Files made of recordings and HLS after they ended: merged, joined, converted.',
  HLS: 'A meeting to be watched in a player, live and afterwards.',
  Livestreams: 'A meeting sent to RTMP servers.',
  Webhooks: 'What was told to your backend, what was not yet, and telling it again.',
  Administration: 'Projects, keys and settings, for those who run the server.',
  'Signing in': 'Who runs the server signs in: by a link, then by a password.',
  Operators: 'Who may sign in to the dashboard, with which role, and from which browsers.',
  Watching: 'How the server is doing.',
  Page: 'What the meeting page itself asks for.',
  Server: 'The server’s own description.',
} as const
export type Tag = keyof typeof tags

/** How the token of a route is checked before its handler runs. */
interface TokenAccess<Body extends TSchema, Query extends TSchema, Params extends TSchema> {
  access: 'token'
  /** What the token must allow. */
  action: OutsideAction
  /** What the call is about: the meeting for which the token must be in scope and from which it must not be removed. */
  about: About<{ params: Static<Params>; query: Static<Query>; body: Static<Body> }>
  role?: never
}

interface AdminAccess {
  access: 'admin'
  /** The least role that may call. */
  role: OperatorRole
  action?: never
  about?: never
}

interface OtherAccess {
  access: Exclude<Access, 'token' | 'admin'>
  role?: never
  action?: never
  about?: never
}

export type Description<
  Body extends TSchema,
  Query extends TSchema,
  Params extends TSchema,
  Answer extends TSchema,
> = Told<Body, Query, Params, Answer> & (TokenAccess<Body, Query, Params> | AdminAccess | OtherAccess)

interface Told<Body extends TSchema, Query extends TSchema, Params extends TSchema, Answer extends TSchema> {
  /** One line for people. */
  summary: string
  tag: Tag
  /**
   * What the audit log keeps of a call: the action as `kind.verb`, or that with more; null: nothing, because nothing is changed
   * or operators do not call it. Every route that is not for reading declares it.
   */
  audit?:
    | string
    | Audit<{ params: Static<Params>; query: Static<Query>; body: Static<Body> }, Static<Answer>>
    | null
  /** Whether an operator may call it who has yet to set up a second factor that is required. */
  beforeSecondFactor?: true
  /** Which pages may read the answer. Default: every page, because tokens decide, not cookies. */
  pages?: 'own'
  /** A longer text, if it helps. */
  description?: string
  /** Whether it exists for older clients only and has a successor. */
  deprecated?: boolean
  body?: Body
  /** Default `application/json`. */
  bodyType?: string
  query?: Query
  params?: Params
  /** Default 200. */
  answerStatus?: number
  /** The body of that status. */
  answer?: Answer
  /** Default `application/json`; other types are sent as the handler returns them. */
  answerType?: string
  /** Bodies of other statuses that are not refusals, e.g. 503 of a health check. */
  otherAnswers?: Record<number, TSchema>
  /** Refusals of this route, besides those that follow from its access and fields. */
  refusals?: readonly DescribedRefusal[]
  /** The body of a refusal; default: that of the REST API. */
  refusalBody?: TSchema
}

const schemes: Record<Exclude<Access, 'token'>, { security: Record<string, string[]>[] }> = {
  open: { security: [] },
  admin: { security: [{ admin: [] }, { signIn: [] }] },
  // `{}` means "or none": at this machine, or if the operator allows it.
  key: { security: [{ basic: [] }, {}] },
  page: { security: [{ signIn: [] }, {}] },
}

/** Any one of these permissions is enough. */
function securityOf(access: Access, action: OutsideAction | undefined) {
  if (access !== 'token') return schemes[access]
  const needed = permissionsFromOutside(action!)
  return { security: needed.length === 0 ? [{ token: [] }] : needed.map((one) => ({ token: [one] })) }
}

/** Describes what the token of a call needs. */
function needsOf(action: OutsideAction): string {
  const needed = permissionsFromOutside(action).map((one) => `\`${one}\``)
  if (needed.length === 0) return 'Needs no permission.'
  const permissions =
    needed.length === 1 ? needed[0]! : `${needed.slice(0, -1).join(', ')} or ${needed.at(-1)!}`
  return `Needs ${permissions}${isManagement(action) ? ', or a token with the role `crawler`' : ''}.`
}

function refusalsOf(action: OutsideAction, about: About): ErrorName[] {
  return [
    ...(permissionsFromOutside(action).length > 0 ? (['INVALID_PERMISSIONS'] as const) : []),
    'UNAUTHORIZED_MEETING_ID',
    'REMOVED_FROM_SESSION',
    ...(about !== 'project' && about.meeting && about.missing === undefined
      ? (['INVALID_MEETING_ID'] as const)
      : []),
    ...(about !== 'project' && (about.session ?? about.delivery ?? about.output ?? about.stream ?? about.job)
      ? (['NOT_FOUND'] as const)
      : []),
  ]
}

const refusalsOfAccess: Record<Access, readonly ErrorName[]> = {
  open: [],
  token: [
    'INVALID_TOKEN',
    'INVALID_API_KEY',
    'APIKEY_DEACTIVATED',
    'UNAUTHORIZED_ROLE',
    'UNAUTHORIZED_REQUEST',
  ],
  // The last one is for a browser that declares the body as a form.
  admin: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST', 'UNSUPPORTED_MEDIA_TYPE'],
  key: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST'],
  page: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST', 'UNSUPPORTED_MEDIA_TYPE'],
}

/**
 * The options of a route. The token is checked before body, query and parameters; what the call is about is checked after them.
 */
export function describe<
  Body extends TSchema,
  Query extends TSchema,
  Params extends TSchema,
  Answer extends TSchema,
>(description: Description<Body, Query, Params, Answer>) {
  return {
    config: configOf(description),
    schema: schemaOf(description) as {
      summary: string
      body: Body
      querystring: Query
      params: Params
    },
  }
}

/**
 * The options of a route that validates its fields itself, because published clients depend on how it does so: its schemas only generate the
 * document. The token is checked as usual.
 */
export function describeOnly(description: Description<TSchema, TSchema, TSchema, TSchema>) {
  return {
    config: configOf(description),
    schema: schemaOf(description),
    validatorCompiler: () => () => true,
  }
}

function configOf({
  access,
  role,
  action,
  about,
  audit,
  beforeSecondFactor,
  pages,
}: Description<TSchema, TSchema, TSchema, TSchema>): FastifyContextConfig {
  return {
    access,
    ...(audit !== undefined && { audit: typeof audit === 'string' ? { action: audit } : audit }),
    ...(access === 'token' && { action, about }),
    ...(access === 'admin' && { role }),
    ...(beforeSecondFactor && { beforeSecondFactor }),
    ...(pages === 'own' && { cors: false }),
  }
}

/**
 * @throws {TypeError} if a route does not declare its access or, for a token, its action and what it is about; or, if it is not
 *   for reading, what the audit log keeps of it
 */
export function assertDeclared({ method, url, config, schema }: RouteOptions): void {
  if (schema?.hide === true) return
  const { access, role, action, about, audit } = config ?? {}
  const declared =
    access === 'token'
      ? action !== undefined && about !== undefined
      : access === 'admin'
        ? role !== undefined
        : access !== undefined
  if (!declared)
    throw new TypeError(
      `${[method].flat().join()} ${url} does not declare who may call it, and what it is about`,
    )
  const reads = [method].flat().every((one) => one === 'GET' || one === 'HEAD')
  if (!reads && audit === undefined)
    throw new TypeError(`${[method].flat().join()} ${url} does not declare what the audit log keeps of it`)
}

/** The options of a page or an asset, which is not in the API document. */
export const undescribed = { schema: { hide: true } as FastifySchema }

function schemaOf({
  access,
  role,
  action,
  about,
  tag,
  summary,
  description,
  deprecated,
  body,
  bodyType,
  query,
  params,
  answerStatus = 200,
  answer,
  answerType = 'application/json',
  otherAnswers = {},
  refusals = [],
  refusalBody = RefusalBody,
}: Description<TSchema, TSchema, TSchema, TSchema>): FastifySchema {
  const all: DescribedRefusal[] = [
    'INVALID_REQUEST',
    'RATE_LIMITED',
    'SOMETHING_WENT_WRONG',
    'STORE_UNAVAILABLE',
    ...refusalsOfAccess[access],
    ...(access === 'token' ? refusalsOf(action, about) : []),
    ...(body ? (['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) : []),
    ...refusals,
  ]
  const needs =
    access === 'token'
      ? needsOf(action)
      : access === 'admin'
        ? `Needs the role \`${role}\`, or the admin key.`
        : undefined
  const text = [description, needs].filter((part) => part !== undefined).join(' ')
  const responses: Record<string, unknown> = {
    ...(answer && { [answerStatus]: response('OK', answer, answerType) }),
    ...responsesOf(all, refusalBody),
    ...Object.fromEntries(
      Object.entries(otherAnswers).map(([status, schema]) => [status, response('An answer too.', schema)]),
    ),
  }
  return {
    summary,
    tags: [tag],
    ...securityOf(access, action),
    ...(text !== '' && { description: text }),
    ...(deprecated !== undefined && { deprecated }),
    ...(body && { body }),
    ...(bodyType !== undefined && { consumes: [bodyType] }),
    ...(query && { querystring: query }),
    ...(params && { params }),
    response: responses,
  }
}

function response(description: string, schema: TSchema, type = 'application/json') {
  return { description, content: { [type]: { schema } } }
}

function responsesOf(refusals: readonly DescribedRefusal[], body: TSchema): Record<string, unknown> {
  const byStatus = new Map<number, Set<ErrorName>>()
  for (const one of refusals) {
    const code = typeof one === 'string' ? one : one.code
    const status = typeof one === 'string' ? new Refusal(one).status : one.status
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code))
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      response([...codes].map((code) => `\`${code}\`: ${new Refusal(code).message}`).join('\n\n'), body),
    ]),
  )
}

const WHERE: Record<string, string> = {
  querystring: 'query',
  params: 'address',
  body: 'body',
  headers: 'headers',
}

/** Makes schemas of routes validate like the rest of the program, and leaves answers unchanged. */
export function validateByDescription(app: FastifyInstance): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart = 'body' }) => {
    const check = shape(schema, WHERE[httpPart] ?? httpPart)
    return (value: unknown) => {
      try {
        return { value: check(httpPart === 'body' ? (value ?? {}) : withTypesOf(schema, value)) }
      } catch (error) {
        return { error: error as Error }
      }
    }
  })
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
}
