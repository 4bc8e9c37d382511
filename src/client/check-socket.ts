/** The socket over which a browser or a program asks a server to check the connection. */
import type { CheckAnswer, CheckAnswers } from '../protocol/check.ts'

const ANSWER_TIMEOUT_MS = 15_000

export class CheckSocket {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: CheckAnswer) => void>()
  #last = 0
  /** What the server said when it closed. */
  closed: string | undefined

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as CheckAnswer
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
    socket.addEventListener('close', ({ reason }) => {
      this.closed = reason || 'The server ended the check.'
      for (const [id, hear] of this.#waiting)
        hear({ id, ok: false, code: 'CONNECTION_FAILED', message: this.closed })
      this.#waiting.clear()
    })
  }

  /** @throws {Error} if the server cannot be reached over a WebSocket */
  static open(url: string): Promise<CheckSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url)
      const timer = setTimeout(() => socket.close(), ANSWER_TIMEOUT_MS)
      const done = new CheckSocket(socket)
      socket.addEventListener('open', () => {
        clearTimeout(timer)
        resolve(done)
      })
      socket.addEventListener('close', () =>
        reject(new Error('The server cannot be reached over a WebSocket.')),
      )
    })
  }

  /** @throws {Error} with the server's sentence */
  request<M extends keyof CheckAnswers>(method: M, data: object = {}): Promise<CheckAnswers[M]> {
    return new Promise((resolve, reject) => {
      if (this.closed !== undefined) return reject(new Error(this.closed))
      const id = ++this.#last
      const timer = setTimeout(() => reject(new Error('The server did not answer.')), ANSWER_TIMEOUT_MS)
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer)
        if (answer.ok) resolve(answer.data as CheckAnswers[M])
        else reject(new Error(answer.message))
      })
      this.#socket.send(JSON.stringify({ id, method, data }))
    })
  }

  close(): void {
    this.#socket.close()
  }
}
