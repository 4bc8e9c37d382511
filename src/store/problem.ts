/** A unique value is taken already. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict'
}

/** A custom id is the id of another meeting, so that it would name two. */
export class IdTaken extends Error {
  override readonly name = 'IdTaken'
}

/** The store cannot be used as it is: one sentence with the cure. */
export class StoreProblem extends Error {
  /** The name under which the command line shows a sentence and no stack. */
  override readonly name = 'StartError'
}
