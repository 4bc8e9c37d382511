/** A value that must be unique is already taken. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict'
}

/** The custom id is the id of another meeting, so it would name two meetings. */
export class IdTaken extends Error {
  override readonly name = 'IdTaken'
}
