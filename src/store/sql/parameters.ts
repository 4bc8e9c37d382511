import { isStorable } from '../../protocol/ids.ts'

/** Passes the values of a statement on. @throws {TypeError} for a text that not every database keeps as it is */
export function checked<Value>(values: readonly Value[]): readonly Value[] {
  if (!values.every(isKept))
    throw new TypeError('a text for the database must be well-formed Unicode without U+0000')
  return values
}

function isKept(value: unknown): boolean {
  // A list is one value of a statement on PostgreSQL.
  return Array.isArray(value) ? value.every(isKept) : typeof value !== 'string' || isStorable(value)
}
