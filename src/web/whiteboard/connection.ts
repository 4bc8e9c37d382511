/** The socket of the whiteboard. It reconnects until the board is closed. */
import type { ClientMessage, ServerMessage } from '../../protocol/whiteboard.ts'
import { Outbox } from './outbox.ts'

export type BoardState = 'connecting' | 'open' | 'closed'

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 10_000
/** Repeats `CLOSED_FOR_GOOD` and the path of `protocol/whiteboard.ts`, because pages import only types from there. */
const CLOSED_FOR_GOOD = 4000
const PATH = 'whiteboard/socket'

export class BoardSocket {
  readonly #address: string
  readonly #heard: (message: ServerMessage) => void
  readonly #changed: (state: BoardState) => void
  #socket: WebSocket | undefined
  #outbox: Outbox | undefined
  #retryMs = FIRST_RETRY_MS
  #timer: number | undefined
  #over = false

  constructor(key: string, heard: (message: ServerMessage) => void, changed: (state: BoardState) => void) {
    // Relative to the path at which a proxy serves this page.
    const address = new URL(PATH, location.href)
    address.protocol = address.protocol.replace('http', 'ws')
    address.search = `?key=${encodeURIComponent(key)}`
    address.hash = ''
    this.#address = address.href
    this.#heard = heard
    this.#changed = changed
    this.#connect()
  }

  send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#outbox?.push(message)
  }

  close(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#outbox?.close()
    this.#socket?.close()
  }

  #connect(): void {
    const socket = new WebSocket(this.#address)
    this.#socket = socket
    const outbox = new Outbox({ send: (text) => socket.send(text), now: () => performance.now() })
    this.#outbox = outbox
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data as string) as ServerMessage
      this.#heard(message)
      if (message.do !== 'scene') return
      this.#retryMs = FIRST_RETRY_MS
      this.#changed('open')
    }
    socket.onclose = ({ code }) => {
      outbox.close()
      if (this.#over) return
      if (code === CLOSED_FOR_GOOD) {
        this.#over = true
        this.#changed('closed')
        return
      }
      this.#changed('connecting')
      this.#timer = window.setTimeout(() => this.#connect(), this.#retryMs)
      this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2)
    }
  }
}
