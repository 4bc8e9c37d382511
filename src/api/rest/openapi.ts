/** The document of the REST API, made from the descriptions of its routes, and a readable page of it. */
import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import { Type } from 'typebox'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { HttpContext, Routes } from '../context.ts'
import { describe, tags } from './describe.ts'

const ABOUT = `Meetings, their sessions and people, webhooks and keys, over HTTP, in the shapes of the public contract of VideoSDK and
beyond it. Anteroom is not affiliated with VideoSDK.

A **token** goes into \`Authorization\`, bare or after \`Bearer\`. Bodies are JSON; forms are read as well. Instants named \`…At\` are
milliseconds since the epoch, all others ISO-8601. Lists come in pages: \`page\` and \`perPage\` in, \`pageInfo\` and \`data\` out.

Every refusal is JSON with \`code\` for programs and \`message\` for people; every answer carries \`x-request-id\`.`

const securitySchemes = {
  token: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'An access token signed with the secret of an API key, bare or after `Bearer`.',
  },
  admin: { type: 'http', scheme: 'bearer', description: 'The admin key of the server.' },
  signIn: {
    type: 'apiKey',
    in: 'cookie',
    name: 'anteroom_sign_in',
    description:
      'The http-only cookie of a sign-in at the page or the dashboard. Calls with a token accept it too, without `Authorization`, and with the project in the header `X-Anteroom-Project`: a viewer reads, other roles do what a token with the role `crawler` may.',
  },
  basic: { type: 'http', scheme: 'basic', description: 'An API key and its secret.' },
} as const

/** No inline scripts or styles, nothing from other origins, and no embedding in a frame. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Adjusts the page's own style for narrow windows. */
const PAGE_STYLE = `
.swagger-ui .info { margin: 24px 0; }
.swagger-ui .scheme-container { box-shadow: none; padding: 8px 0; }
.swagger-ui .opblock-summary-path { overflow-wrap: anywhere; }
@media (max-width: 600px) {
  .swagger-ui .wrapper { padding: 0 8px; }
  .swagger-ui .opblock-tag { display: grid; grid-template-columns: 1fr auto; }
  .swagger-ui .opblock-tag > :is(a, span) { grid-row: 1; }
  .swagger-ui .opblock-tag > small { grid-row: 2; grid-column: 1; padding: 0; }
  .swagger-ui .opblock-tag > button { grid-row: 1; grid-column: 2; }
}
`

/** Call this before registering routes: each is documented when it is registered. */
export function documentRoutes(
  app: FastifyInstance,
  { settings: { publicUrl }, server: { version } }: Pick<HttpContext, 'settings' | 'server'>,
): void {
  void app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Anteroom', version, description: ABOUT, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: publicUrl ?? '/' }],
      components: { securitySchemes },
    },
    stripBasePath: false,
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => ({
      schema: { ...schema, operationId: operationIdOf(route) },
      url,
    }),
    transformObject: (documents) => {
      if (!('openapiObject' in documents)) throw new TypeError('the document is not OpenAPI')
      return finished(documents.openapiObject)
    },
  })
  void app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    uiConfig: {
      layout: 'BaseLayout',
      docExpansion: 'none',
      deepLinking: true,
      defaultModelsExpandDepth: -1,
      persistAuthorization: false,
    },
    theme: { title: 'Anteroom REST API', css: [{ filename: 'anteroom.css', content: PAGE_STYLE }] },
  })
}

export const openapiRoutes: Routes = (app) => {
  app.get(
    '/openapi.json',
    describe({
      summary: 'Get this document',
      tag: 'Server',
      access: 'open',
      description: 'OpenAPI 3.1; `/docs` shows it as a page.',
      answer: Type.Record(Type.String(), Type.Unknown()),
    }),
    () => app.swagger() as never,
  )
}

/** Example: `GET /v2/rooms/:id` becomes `getV2RoomsId`. */
function operationIdOf({ method, url }: Pick<RouteOptions, 'method' | 'url'>): string {
  const words = url.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return (
    [method].flat()[0]!.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
  )
}

interface Schema {
  title?: string
  default?: unknown
  required?: string[]
  properties?: Record<string, Schema>
}
interface Operation {
  tags?: string[]
  parameters?: { required?: boolean; schema?: Schema }[]
  requestBody?: { required?: boolean; content: Record<string, { schema?: Schema }> }
}

/** Marks optional fields, lists the used groups, and defines each named schema once. */
function finished<D extends { paths?: object; tags?: unknown; components?: object }>(document: D): D {
  const used = new Set<string>()
  const operations = Object.values(document.paths ?? {}).flatMap((item) =>
    Object.values(item as Record<string, Operation>),
  )
  for (const { tags: own = [], parameters = [], requestBody } of operations) {
    for (const tag of own) used.add(tag)
    for (const parameter of parameters) {
      if (parameter.schema?.default !== undefined) parameter.required = false
    }
    if (!requestBody) continue
    const schemas = Object.values(requestBody.content).flatMap(({ schema }) => (schema ? [schema] : []))
    for (const schema of schemas)
      schema.required = (schema.required ?? []).filter(
        (name) => schema.properties?.[name]?.default === undefined,
      )
    requestBody.required = schemas.some(({ required = [] }) => required.length > 0)
  }
  const schemas: Record<string, unknown> = {}
  document.paths = withReferences(document.paths, schemas) as object
  document.components = { ...document.components, schemas }
  document.tags = Object.entries(tags)
    .filter(([name]) => used.has(name))
    .map(([name, description]) => ({ name, description }))
  return document
}

/** Replaces each schema that has a title by a reference, and adds the schema to `schemas`. */
function withReferences(value: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((one) => withReferences(one, schemas))
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      /^(examples?|default|enum|const)$/.test(name) ? (inner as unknown) : withReferences(inner, schemas),
    ]),
  )
  if (typeof copy.title !== 'string') return copy
  schemas[copy.title] = copy
  return { $ref: `#/components/schemas/${copy.title}` }
}
