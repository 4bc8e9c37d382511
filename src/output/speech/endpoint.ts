/** Asks an OpenAI-compatible endpoint. Its key is in no error: answers are quoted nowhere, as they may repeat it. */
import { SAMPLE_RATE } from './opus.ts'
import { RecogniserError, type RecogniseOptions, type Recogniser } from './recogniser.ts'
import { wavOf } from './wav.ts'

export interface EndpointOptions {
  /** Without a slash at its end: `https://api.example.org/v1`. */
  url: string
  apiKey: string | undefined
  model: string
  random: () => number
  /** For one attempt. */
  timeoutMs?: number
  /** Before the second attempt; before each further one twice as long. */
  retryMs?: number
}

const TIMEOUT_MS = 60_000
const ATTEMPTS = 4
const RETRY_MS = 500
const MAX_WAIT_MS = 20_000
const MAX_ANSWER_BYTES = 1_048_576
/** What a later attempt may change. */
const PASSING = new Set([408, 409, 425, 429, 500, 502, 503, 504, 529])
/** What no other request will change either. */
const PERMANENT = new Set([401, 402, 403, 404, 405])

export class Endpoint implements Recogniser {
  readonly #options: EndpointOptions

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  async recognise(samples: Int16Array, { language, modelId, signal }: RecogniseOptions): Promise<string> {
    const wav = wavOf(samples, SAMPLE_RATE)
    const answer = await this.#ask('/audio/transcriptions', signal, () => {
      const form = new FormData()
      form.set('file', new Blob([new Uint8Array(wav)], { type: 'audio/wav' }), 'speech.wav')
      form.set('model', modelId ?? this.#options.model)
      form.set('response_format', 'json')
      // They take a language alone: "en" of "en-GB".
      if (language !== undefined) form.set('language', language.split('-')[0]!.toLowerCase())
      return { body: form }
    })
    const { text } = answer as { text?: unknown }
    if (typeof text !== 'string')
      throw new RecogniserError('The transcription endpoint answered without a text.')
    return text.trim()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** Lets a language model answer. */
  async chat(
    model: string,
    messages: { role: string; content: string }[],
    signal: AbortSignal,
  ): Promise<string> {
    const body = JSON.stringify({ model, messages })
    const answer = await this.#ask('/chat/completions', signal, () => ({
      body,
      headers: { 'content-type': 'application/json' },
    }))
    const { choices } = answer as { choices?: { message?: { content?: unknown } }[] }
    const content = Array.isArray(choices) ? choices[0]?.message?.content : undefined
    if (typeof content !== 'string')
      throw new RecogniserError('The transcription endpoint answered without a summary.')
    return content.trim()
  }

  async #ask(path: string, signal: AbortSignal, request: () => RequestInit): Promise<object> {
    const { retryMs = RETRY_MS, random } = this.#options
    for (let attempt = 1; ; attempt += 1) {
      const attempted = await this.#try(path, signal, request())
      if ('answer' in attempted) return attempted.answer
      const { error, passing, waitMs = 0 } = attempted
      if (attempt === ATTEMPTS || !passing) throw error
      const backOff = retryMs * 2 ** (attempt - 1) * (0.5 + random())
      await pause(Math.min(MAX_WAIT_MS, Math.max(backOff, waitMs)), signal)
    }
  }

  async #try(path: string, signal: AbortSignal, request: RequestInit): Promise<Attempt> {
    const { url, apiKey, timeoutMs = TIMEOUT_MS } = this.#options
    const timeout = AbortSignal.timeout(timeoutMs)
    let response: Response
    try {
      response = await fetch(url + path, {
        ...request,
        method: 'POST',
        headers: {
          ...(request.headers as object),
          ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
        },
        // The key and the speech go nowhere else.
        redirect: 'manual',
        signal: AbortSignal.any([signal, timeout]),
      })
      if (response.ok) return { answer: await readAnswer(response) }
    } catch (error) {
      if (error instanceof RecogniserError) return { error, passing: false }
      signal.throwIfAborted()
      const why = timeout.aborted ? `did not answer within ${timeoutMs / 1000} seconds` : 'cannot be reached'
      const told = new RecogniserError(`The transcription endpoint ${why}.`, { cause: codeOf(error) })
      return { error: told, passing: true }
    }
    const { status } = response
    await response.body?.cancel().catch(() => undefined)
    const permanent = PERMANENT.has(status) || (status >= 300 && status < 400)
    const error = new RecogniserError(`The transcription endpoint answered ${status}${meaning(status)}.`, {
      permanent,
    })
    return { error, passing: PASSING.has(status), waitMs: retryAfterMs(response) }
  }
}

/** `passing`: a later attempt may succeed, after `waitMs`. */
type Attempt = { answer: object } | { error: RecogniserError; passing: boolean; waitMs?: number }

function meaning(status: number): string {
  if (status === 401 || status === 403) return ': TRANSCRIPTION_API_KEY is refused'
  if (status === 404) return ': TRANSCRIPTION_URL or TRANSCRIPTION_MODEL is wrong'
  return status >= 300 && status < 400 ? ': redirects are not followed' : ''
}

const retryAfterMs = (response: Response): number =>
  Number(/^\d{1,6}$/.exec(response.headers.get('retry-after') ?? '')?.[0] ?? 0) * 1000

/** @throws {RecogniserError} */
async function readAnswer(response: Response): Promise<object> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += (part as Uint8Array).length
    if (bytes > MAX_ANSWER_BYTES)
      throw new RecogniserError('The transcription endpoint answered with more than 1 MiB.')
    parts.push(part)
  }
  try {
    const answer: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    if (typeof answer === 'object' && answer !== null) return answer
  } catch {
    // Told below.
  }
  throw new RecogniserError('The transcription endpoint did not answer with a JSON object.')
}

/** What may be told of an error of `fetch`, which can contain the request. */
function codeOf(error: unknown): string | undefined {
  const { cause, name } = error as { cause?: { code?: unknown }; name?: string }
  return typeof cause?.code === 'string' ? cause.code : name
}

/** @throws the reason of the signal */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
  signal.throwIfAborted()
}
