/**
 * A route is described once: the same schemas validate what comes in, type the handler and make the OpenAPI document.
 */
import type {
  FastifyInstance,
  FastifyBaseLogger,
  FastifySchema,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { TSchema } from 'typebox'
import { Refusal, type ErrorName } from '../protocol/errors.ts'
import { RefusalBody } from '../protocol/rest.ts'
import { shape, withTypesOf } from './shapes.ts'

/**
 * Who may call: anybody; who shows a token for REST; who runs the server; who shows an API key and its secret, or signed in
 * at the page, where they sit elsewhere than at this machine.
 */
export type Access = 'open' | 'token' | 'admin' | 'key' | 'page'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Checked before the handler; absent where the handler does it. */
    access?: Access
    /** Whether a token for one meeting is refused. */
    wholeProject?: boolean
  }
}

/** A listener whose routes take the types of their handlers from their schemas. */
export type TypedApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** A refusal by its code; with a status where that differs from the table's. */
export type DescribedRefusal = ErrorName | { code: ErrorName; status: number }

/** The groups of the document, in its order. */
export const tags = {
  'Token server': 'What the published samples of an app server answer to.',
  Tokens: 'Access tokens for those who hold an API key, and tokens taken out of force.',
  Rooms: 'Meetings: the durable places that people join. A room is a meeting.',
  Joining: 'What an app asks on the way into a meeting, and inside it.',
  Invites: 'Links that let people in without an account, counted and revocable.',
  Sessions: 'What happened in a meeting from its first join to its last leave, and who was there.',
  'Live meetings': 'A session that goes on: who is in, who waits, and what may be done about it.',
  Webhooks: 'What was told to your backend, what was not yet, and telling it again.',
  Administration: 'Projects, keys and settings, for those who run the server.',
  'Signing in': 'Who runs the server signs in: by the first-start link, then by a password.',
  Watching: 'How the server is doing.',
  Page: 'What the meeting page itself asks for.',
  Server: 'The server’s own description.',
} as const
export type Tag = keyof typeof tags

export interface Description<
  Body extends TSchema,
  Query extends TSchema,
  Params extends TSchema,
  Answer extends TSchema,
> {
  /** One line for people. */
  summary: string
  tag: Tag
  access: Access
  /** With access `token`: the call is about no single meeting, so that a token for one is refused, before all else. */
  wholeProject?: boolean
  /** More than a line, where it helps. */
  description?: string
  /** Whether it is kept for older clients, and has a successor. */
  deprecated?: boolean
  body?: Body
  query?: Query
  params?: Params
  /** Of status 200. */
  answer?: Answer
  /** Default `application/json`; anything else is sent as the handler gives it. */
  answerType?: string
  /** Of other statuses that are answers and no refusals, e.g. 503 of a health check. */
  otherAnswers?: Record<number, TSchema>
  /** What it may refuse with, beside what every route of its access and its fields may. */
  refusals?: readonly DescribedRefusal[]
  /** Default: that of the REST API. */
  refusalBody?: TSchema
}

const schemes: Record<Access, { security: Record<string, string[]>[] }> = {
  open: { security: [] },
  token: { security: [{ token: [] }] },
  admin: { security: [{ admin: [] }, { signIn: [] }] },
  // `{}` is "or nothing": at this machine, or where the operator says so.
  key: { security: [{ basic: [] }, {}] },
  page: { security: [{ signIn: [] }, {}] },
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
  // The last for a browser that says of a body that it is a form.
  admin: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST', 'UNSUPPORTED_MEDIA_TYPE'],
  key: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST'],
  page: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST', 'UNSUPPORTED_MEDIA_TYPE'],
}

/** The options of a route. Its token is checked before its body, query and parameters are. */
export function describe<
  Body extends TSchema,
  Query extends TSchema,
  Params extends TSchema,
  Answer extends TSchema,
>(description: Description<Body, Query, Params, Answer>) {
  const { access, wholeProject } = description
  return {
    config: { access, ...(wholeProject !== undefined && { wholeProject }) },
    schema: schemaOf(description) as {
      summary: string
      body: Body
      querystring: Query
      params: Params
    },
  }
}

/**
 * The options of a route that looks at its token and its fields itself, because published clients count on how it does:
 * its schemas make the document and nothing else.
 */
export function describeOnly(description: Description<TSchema, TSchema, TSchema, TSchema>) {
  return {
    schema: schemaOf(description),
    validatorCompiler: () => () => true,
  }
}

/** The options of a page or an asset: nothing for the document of the API. */
export const undescribed = { schema: { hide: true } as FastifySchema }

function schemaOf({
  access,
  wholeProject,
  tag,
  summary,
  description,
  deprecated,
  body,
  query,
  params,
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
    ...(wholeProject === true ? (['UNAUTHORIZED_MEETING_ID'] as const) : []),
    ...(body ? (['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) : []),
    ...refusals,
  ]
  const responses: Record<string, unknown> = {
    ...(answer && { 200: response('OK', answer, answerType) }),
    ...responsesOf(all, refusalBody),
    ...Object.fromEntries(
      Object.entries(otherAnswers).map(([status, schema]) => [status, response('An answer too.', schema)]),
    ),
  }
  return {
    summary,
    tags: [tag],
    ...schemes[access],
    ...(description !== undefined && { description }),
    ...(deprecated !== undefined && { deprecated }),
    ...(body && { body }),
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

/** Lets the schemas of routes validate as the rest of the program does, and leaves answers as they are. */
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
