import type { ClusterOptions } from './node-options.ts'

/** Whether it is this node that lost the database, by what others say of it; undefined: one did not answer. */
export function isCutOffFrom(answers: readonly unknown[], alone: ClusterOptions['alone']): boolean {
  if (answers.includes(true)) return true
  return alone === 'suspend' && answers.every((answer) => answer === undefined)
}
