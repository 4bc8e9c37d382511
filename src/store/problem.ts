/** A unique value is taken already. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict'
}

/** The store cannot be used as it is: one sentence with the cure. */
export class StoreProblem extends Error {
  override readonly name = 'StartError'
}
