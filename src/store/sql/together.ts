import { troubleOf } from '../unavailable.ts'

/**
 * Waits for statements that were sent at once. Unlike `Promise.all`, it waits for the others if one fails, so that none
 * runs after its transaction was rolled back. It throws the store's own error before errors that follow from it.
 */
export async function together<Results extends readonly unknown[]>(statements: {
  readonly [Index in keyof Results]: Promise<Results[Index]>
}): Promise<Results> {
  const outcomes = await Promise.allSettled(statements)
  const failures = outcomes.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []))
  if (failures.length > 0) throw failures.find((error) => troubleOf(error)) ?? failures[0]
  return outcomes.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as Results
}
