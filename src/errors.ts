/** Errors that stop a start. The command line shows the message without a stack. */

/** The program cannot start. The message is one sentence that names the cause and the cure. */
export class StartError extends Error {
  override readonly name: string = 'StartError'
}

/** A setting is invalid. The message begins with the variable, and contains no secret. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError'
}
