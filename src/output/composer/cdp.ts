/**
 * The DevTools protocol over two pipes: there is no port that others on this machine could reach, and the browser ends
 * when the pipes close.
 */
import type { Readable, Writable } from 'node:stream'

interface Message {
  id?: number
  sessionId?: string
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { message: string }
}

interface Waiting {
  resolve: (result: Record<string, unknown>) => void
  reject: (error: Error) => void
}

/** An event of the browser; `sessionId` names the page. */
export type Hear = (method: string, params: Record<string, unknown>, sessionId: string | undefined) => void

export class Cdp {
  readonly #to: Writable
  readonly #hear: Hear
  readonly #waiting = new Map<number, Waiting>()
  #parts: Buffer[] = []
  #lastId = 0
  #isClosed = false

  constructor(to: Writable, from: Readable, hear: Hear) {
    this.#to = to
    this.#hear = hear
    // Both fail when the browser has ended, which its exit reports.
    to.on('error', () => this.close())
    from.on('error', () => this.close())
    from.on('close', () => this.close())
    from.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    if (this.#isClosed) return Promise.reject(new Error('The browser is gone.'))
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { reject } of this.#waiting.values()) reject(new Error('The browser is gone.'))
    this.#waiting.clear()
  }

  #read(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, from)) {
      this.#parts.push(chunk.subarray(from, end))
      const text = Buffer.concat(this.#parts).toString()
      this.#parts = []
      from = end + 1
      this.#take(JSON.parse(text) as Message)
    }
    if (from < chunk.length) this.#parts.push(chunk.subarray(from))
  }

  #take({ id, method, params = {}, result = {}, error, sessionId }: Message): void {
    if (id === undefined) {
      if (method !== undefined && !this.#isClosed) this.#hear(method, params, sessionId)
      return
    }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error) waiting?.reject(new Error(error.message))
    else waiting?.resolve(result)
  }
}
