/** Validates a caller's values by a schema: returns the value with defaults, or refuses in one sentence that names the field. */
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { Refusal } from '../../protocol/errors.ts'

/** @param where how the sentence names the place of a field, e.g. `body` or `query` */
export function shape<S extends TSchema>(schema: S, where: string): (value: unknown) => Static<S> {
  const validator = Compile(schema)
  return (value) => {
    const filled: unknown = Value.Default(schema, Value.Clone(value))
    if (validator.Check(filled)) return filled
    const [first] = validator.Errors(filled)
    const path = first?.instancePath ? first.instancePath.slice(1).replaceAll('/', '.') : ''
    throw new Refusal('INVALID_REQUEST', {
      message: `${path === '' ? where : path} ${first?.message ?? 'is not valid'}.`,
    })
  }
}

/** Converts numbers and flags of a query or path, which arrive as text. Invalid ones stay unchanged and are refused later. */
export function withTypesOf(schema: TSchema, given: unknown): Record<string, unknown> {
  const values: Record<string, unknown> = { ...(given as Record<string, unknown>) }
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> }
  for (const [name, { type }] of Object.entries(properties)) {
    const text = values[name]
    if (text === '') values[name] = undefined
    else if (typeof text !== 'string') continue
    else if ((type === 'integer' || type === 'number') && /^\d{1,15}$/.test(text)) values[name] = Number(text)
    else if (type === 'boolean' && (text === 'true' || text === 'false')) values[name] = text === 'true'
  }
  return values
}
