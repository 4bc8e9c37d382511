import type { ClusterOptions } from './node-options.ts'

/**
 * Whether this node must let its meetings go: others reach the database, or nobody is reached and `alone` says so.
 * @param answers whether each other node reaches the database; undefined: it did not answer
 */
export function isCutOffFrom(answers: readonly unknown[], alone: ClusterOptions['alone']): boolean {
  if (answers.includes(true)) return true
  return alone === 'suspend' && answers.every((answer) => answer === undefined)
}
