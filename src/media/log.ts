/** Where the media server reports what no caller can be told; a pino logger fits. */
export interface MediaLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
