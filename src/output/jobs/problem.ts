/** A failure of a job that whoever asked is told, in one plain sentence. */
export class JobProblem extends Error {
  override readonly name = 'JobProblem'
}

/** What a job ends with before the disk is full. */
export const NO_ROOM = 'The disk has no room for it.'
