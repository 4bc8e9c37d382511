import { isStorable } from '../../protocol/ids.ts'

/**
 * Returns the values of a statement unchanged. @throws {TypeError} for a text that not every database stores unchanged
 */
export function checked<Value>(values: readonly Value[]): readonly Value[] {
  if (!values.every(isKept))
    throw new TypeError('a text for the database must be well-formed Unicode without U+0000')
  return values
}

function isKept(value: unknown): boolean {
  // On PostgreSQL, a list is one value of a statement.
  return Array.isArray(value) ? value.every(isKept) : typeof value !== 'string' || isStorable(value)
}
