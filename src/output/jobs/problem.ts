/** A failure of a job that whoever asked is told, in one plain sentence. */
export class JobProblem extends Error {
  override readonly name = 'JobProblem'
}
