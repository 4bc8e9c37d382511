/** A unique value is taken already. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict'
}

/** A custom id is the id of another meeting, so that it would name two. */
export class IdTaken extends Error {
  override readonly name = 'IdTaken'
}
