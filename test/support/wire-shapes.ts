/**
 * Validates the server's messages against the schemas of `protocol/notifications.ts`, and formats those schemas for
 * people.
 */
import { Type, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { JoinReply, notifications, serverRequests } from '../../src/protocol/notifications.ts'
import { RtpParameters, SctpStreamParameters } from '../../src/protocol/media.ts'

/** The maximum number of characters of a message that a failure shows. */
const MOST_SHOWN = 400

type Check = (value: unknown) => string | undefined

/** Describes a mismatch in one sentence; a field that no schema names is one. */
function checker(schema: TSchema): Check {
  const validator = Compile(strict(schema))
  return (value) =>
    validator.Check(value)
      ? undefined
      : `${JSON.stringify(validator.Errors(value))}: ${JSON.stringify(value).slice(0, MOST_SHOWN)}`
}

function strict(schema: TSchema): TSchema {
  const { properties } = schema as { properties?: Record<string, TSchema> }
  return properties ? { ...schema, additionalProperties: false } : schema
}

const checks = new Map<string, Check>([
  ...Object.entries(notifications).map(([method, fields]): [string, Check] => [
    method,
    checker(Type.Object({ method: Type.Literal(method), ...fields.properties })),
  ]),
  ...Object.entries(serverRequests).map(([event, payload]): [string, Check] => [
    `request:${event}`,
    checker(payload),
  ]),
  ['reply:join', checker(JoinReply)],
])

/** Describes what is wrong with a message of the server; undefined if nothing is. */
export function misfitOf(name: string, message: unknown): string | undefined {
  const check = checks.get(name)
  if (!check) return `${name} has no schema`
  const wrong = check(message)
  return wrong === undefined ? undefined : `${name} ${wrong}`
}

/** Schemas that are shown by name instead of in full. */
const named = new Map<string, string>(
  Object.entries({ RtpParameters, SctpStreamParameters }).map(([name, schema]) => [
    JSON.stringify(schema),
    name,
  ]),
)

interface Told {
  type?: string
  const?: string | number | boolean
  enum?: string[]
  anyOf?: TSchema[]
  items?: TSchema
  properties?: Record<string, TSchema>
  required?: string[]
}

/** The fields of an object, each as `name: type`. */
export function fieldsOf(schema: TSchema): string[] {
  const { properties = {}, required = [] } = schema as Told
  return Object.entries(properties).map(
    ([field, own]) => `${field}${required.includes(field) ? '' : '?'}: ${notationOf(own)}`,
  )
}

/** Formats a schema in TypeScript's notation. */
function notationOf(schema: TSchema): string {
  const name = named.get(JSON.stringify(schema))
  if (name !== undefined) return name
  const { type, const: value, enum: values, anyOf, items, properties } = schema as Told
  if (value !== undefined) return `'${value}'`
  if (values) return values.map((one) => `'${one}'`).join(' | ')
  if (anyOf) return anyOf.map(notationOf).join(' | ')
  if (type === 'array') return `${notationOf(items!)}[]`
  if (properties) return Object.keys(properties).length === 0 ? '{}' : `{ ${fieldsOf(schema).join(', ')} }`
  return type === 'integer' ? 'number' : (type ?? 'unknown')
}
