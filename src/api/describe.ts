/**
 * A route is described once: the same schemas validate what comes in, type the handler and make the OpenAPI document.
 */
import type {
  FastifyInstance,
  FastifyBaseLogger,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { TSchema } from 'typebox'
import { shape, withTypesOf } from './shapes.ts'

/** Who may call: anybody; who shows a token for REST; who runs the server. */
export type Access = 'open' | 'token' | 'admin'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
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

export interface Description<
  Body extends TSchema,
  Query extends TSchema,
  Params extends TSchema,
  Answer extends TSchema,
> {
  /** One line for people. */
  summary: string
  /** The group it stands in, e.g. `Sessions`. */
  tag: string
  access: Access
  /** More than a line, where it helps. */
  description?: string
  body?: Body
  query?: Query
  params?: Params
  /** Of status 200. */
  answer?: Answer
}

const schemes: Record<Access, { security: Record<string, string[]>[] }> = {
  open: { security: [] },
  token: { security: [{ token: [] }] },
  admin: { security: [{ admin: [] }, { signIn: [] }] },
}

/** The options of a route. Its token is checked before its body, query and parameters are. */
export function describe<
  Body extends TSchema,
  Query extends TSchema,
  Params extends TSchema,
  Answer extends TSchema,
>({
  access,
  tag,
  summary,
  description,
  body,
  query,
  params,
  answer,
}: Description<Body, Query, Params, Answer>) {
  return {
    config: { access },
    schema: {
      summary,
      tags: [tag],
      ...schemes[access],
      ...(description !== undefined && { description }),
      ...(body && { body }),
      ...(query && { querystring: query }),
      ...(params && { params }),
      ...(answer && { response: { 200: answer } }),
    } as {
      summary: string
      body: Body
      querystring: Query
      params: Params
    },
  }
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
