import { isStorable } from '../../protocol/ids.ts'

/** Passes the values of a statement on. @throws {TypeError} for a text that not every database keeps as it is */
export function checked<Value>(values: readonly Value[]): readonly Value[] {
  if (values.some((one) => typeof one === 'string' && !isStorable(one)))
    throw new TypeError('a text for the database must be well-formed Unicode without U+0000')
  return values
}
