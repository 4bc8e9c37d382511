/** The store cannot be used as it is: one sentence with the cure. */
export class StoreProblem extends Error {
  override readonly name = 'StartError'
}
