/** The operations that the console can call, from the server's own OpenAPI document. Pure functions. */

export interface Schema {
  type?: string | string[]
  default?: unknown
  const?: unknown
  enum?: unknown[]
  examples?: unknown[]
  required?: string[]
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
  description?: string
}

interface DescribedOperation {
  summary?: string
  description?: string
  tags?: string[]
  deprecated?: boolean
  security?: Record<string, string[]>[]
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[]
  requestBody?: { content: Record<string, { schema?: Schema }> }
}

export interface OpenApiDocument {
  paths: Record<string, Record<string, DescribedOperation>>
}

export interface Parameter {
  name: string
  in: 'path' | 'query'
  required: boolean
  hint: string
}

export interface Operation {
  /** `GET /v2/rooms/{id}` */
  id: string
  method: string
  path: string
  tag: string
  summary: string
  description: string
  /** Any one of these permissions is enough; empty if none is needed. */
  permissions: string[]
  parameters: Parameter[]
  /** A body to start from; undefined if the call has none. */
  body: string | undefined
}

/** The operations that accept a token and take a JSON body or none, except those for older clients. */
export function operationsOf({ paths }: OpenApiDocument): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]): Operation[] => {
      const { security = [], requestBody, deprecated, tags, summary = '', description = '' } = operation
      const byToken = security.flatMap(({ token }) => token ?? [])
      if (deprecated || !security.some(({ token }) => token)) return []
      const schema = requestBody?.content['application/json']?.schema
      if (requestBody && !schema) return []
      return [
        {
          id: `${method.toUpperCase()} ${path}`,
          method: method.toUpperCase(),
          path,
          tag: tags?.[0] ?? '',
          summary,
          description,
          permissions: byToken,
          parameters: (operation.parameters ?? []).flatMap((one): Parameter[] =>
            one.in === 'path' || one.in === 'query'
              ? [
                  {
                    name: one.name,
                    in: one.in,
                    required: one.required ?? false,
                    hint: one.description ?? one.schema?.description ?? '',
                  },
                ]
              : [],
          ),
          body: schema && JSON.stringify(exampleOf(schema), null, 2),
        },
      ]
    }),
  )
}

/** The required fields of a schema, with placeholder values. */
export function exampleOf(schema: Schema): unknown {
  const { examples, enum: choices, anyOf, properties = {}, required = [] } = schema
  if ('default' in schema) return schema.default
  if ('const' in schema) return schema.const
  if (examples?.length) return examples[0]
  if (choices?.length) return choices[0]
  if (anyOf?.length) return exampleOf(anyOf[0]!)
  switch ([schema.type].flat()[0]) {
    case 'string':
      return ''
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'array':
      return []
    default:
      return Object.fromEntries(required.map((name) => [name, exampleOf(properties[name] ?? {})]))
  }
}

/** The path and query of a call, without empty values. */
export function addressOf(
  { path, parameters }: Pick<Operation, 'path' | 'parameters'>,
  values: Readonly<Record<string, string>>,
): string {
  let address = path
  const query = new URLSearchParams()
  for (const { name, in: where } of parameters) {
    const value = values[name] ?? ''
    if (where === 'path') address = address.replace(`{${name}}`, encodeURIComponent(value))
    else if (value !== '') query.set(name, value)
  }
  return query.size > 0 ? `${address}?${query}` : address
}

/** Why a call cannot be sent yet; undefined if it can. */
export function problemOf(
  { parameters, body }: Pick<Operation, 'parameters' | 'body'>,
  values: Readonly<Record<string, string>>,
  text: string,
): string | undefined {
  const missing = parameters.filter(({ name, required }) => required && !values[name])
  if (missing.length > 0) return `Fill in ${missing.map(({ name }) => name).join(', ')}.`
  if (body === undefined) return undefined
  try {
    JSON.parse(text)
    return undefined
  } catch {
    return 'The body is not JSON.'
  }
}

/** The same call as a curl command, with the token in an environment variable. */
export function curlOf(method: string, url: string, body: string | undefined): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
  const parts = [`curl -X ${method}`, '-H "Authorization: $TOKEN"']
  if (body !== undefined) parts.push(`-H 'Content-Type: application/json'`, `-d ${quoted(body)}`)
  return [...parts, quoted(url)].join(' \\\n  ')
}
