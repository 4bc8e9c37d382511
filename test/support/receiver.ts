/** A backend that receives events: an HTTP server that records its requests. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'

export interface Hook {
  path: string
  headers: IncomingHttpHeaders
  raw: Buffer
  body: any
}

/** Answers a request; if it never does, the request hangs. */
export type Answering = (hook: Hook, response: ServerResponse) => void

const PATIENCE_MS = 90_000

export const taking: Answering = (_hook, response) => void response.writeHead(204).end()
export const failing: Answering = (_hook, response) => void response.writeHead(500).end('no')
export const hanging: Answering = () => undefined

export class Receiver {
  readonly hooks: Hook[] = []
  /** May be replaced at any time. */
  answer: Answering
  connections = 0
  readonly #server: Server
  readonly #waiters = new Set<() => void>()

  private constructor(answer: Answering) {
    this.answer = answer
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const raw = Buffer.concat(chunks)
        const hook: Hook = {
          path: request.url!,
          headers: request.headers,
          raw,
          body: raw.length > 0 && JSON.parse(raw.toString()),
        }
        this.hooks.push(hook)
        this.answer(hook, response)
        for (const look of this.#waiters) look()
      })
    })
    this.#server.on('connection', () => this.connections++)
  }

  static async start(answer: Answering = taking): Promise<Receiver> {
    const receiver = new Receiver(answer)
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`
  }

  get events(): string[] {
    return this.hooks.map(({ body }) => body.webhookType)
  }

  /** Resolves when the requests so far meet this condition. */
  async until(holds: (hooks: readonly Hook[]) => boolean): Promise<Hook[]> {
    if (!holds(this.hooks)) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          this.#waiters.delete(look)
          reject(new Error(`not received; received: ${this.events.join(', ')}`))
        }, PATIENCE_MS).unref()
        const look = (): void => {
          if (!holds(this.hooks)) return
          clearTimeout(timer)
          this.#waiters.delete(look)
          resolve()
        }
        this.#waiters.add(look)
      })
    }
    return this.hooks
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
