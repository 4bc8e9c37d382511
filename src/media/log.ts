/** The log for events of the media server that no caller waits for; a pino logger fits. */
export interface MediaLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
