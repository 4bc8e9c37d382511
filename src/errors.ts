/** Errors that the command line shows as one sentence, without a stack. */

/** One sentence that names the variable and the cure. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
