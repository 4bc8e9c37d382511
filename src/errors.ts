/** What stops a start, wherever it is found. The command line shows the message and no stack. */

/** The program cannot start as it is. The message is one sentence that names the cause and the cure. */
export class StartError extends Error {
  override readonly name: string = 'StartError'
}

/** The environment is wrong. The message begins with the variable, and holds no secret. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError'
}
