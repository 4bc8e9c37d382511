/** A caller's values against a schema: the value with its defaults, or one sentence that names the field. */
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { Refusal } from '../protocol/errors.ts'

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

/** Numbers of a query, which come as text. What is no number stays as it is, for the schema to refuse. */
export function numbers(query: unknown, names: readonly string[]): Record<string, unknown> {
  const values: Record<string, unknown> = { ...(query as Record<string, unknown>) }
  for (const name of names) {
    const text = values[name]
    if (typeof text === 'string' && /^\d{1,9}$/.test(text)) values[name] = Number(text)
    else if (text === '') values[name] = undefined
  }
  return values
}
