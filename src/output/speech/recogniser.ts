/** What turns speech into text. Types, and the two ways in which it fails. */
export interface Recogniser {
  /** @throws {RecogniserError} where the recogniser cannot do it */
  recognise(samples: Int16Array, options: RecogniseOptions): Promise<string>
  /** No process of it is left when this resolves. */
  close(): Promise<void>
}

export interface RecogniseOptions {
  /** BCP 47; undefined lets the recogniser decide. */
  language?: string | undefined
  /** Of the recogniser's models, instead of the one that is configured. */
  modelId?: string | undefined
  signal: AbortSignal
}

/** The message is one plain sentence, without secrets. */
export class RecogniserError extends Error {
  /** The next one will fail like this one: a wrong key, a wrong address. */
  readonly permanent: boolean

  constructor(message: string, options: { permanent?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.permanent = options.permanent ?? false
  }
}
