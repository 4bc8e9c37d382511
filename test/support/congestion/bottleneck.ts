/**
 * Simulates a narrow line to one client in user space: packets from the server wait in a queue as long as that of an
 * ordinary router, and are dropped if it is full. Packets from the client pass immediately.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** IP and UDP headers, which use bandwidth too. */
const HEAD_BYTES = 28
const QUEUE_MS = 300

export class Bottleneck {
  /** Infinity: no limit. */
  bitsPerSecond = Infinity
  passed = 0
  dropped = 0
  /** The longest wait in the queue so far. */
  longestWaitMs = 0
  readonly #near: Socket
  readonly #far: Socket
  #client: number | undefined
  #freeAt = 0

  /** @param port the server's port on this machine */
  static async open(port: number): Promise<Bottleneck> {
    const [near, far] = [createSocket('udp4'), createSocket('udp4')]
    near.bind(0, '127.0.0.1')
    far.bind(0, '127.0.0.1')
    await Promise.all([once(near, 'listening'), once(far, 'listening')])
    return new Bottleneck(near, far, port)
  }

  private constructor(near: Socket, far: Socket, server: number) {
    this.#near = near
    this.#far = far
    near.on('message', (datagram, { port }) => {
      this.#client = port
      far.send(datagram, server, '127.0.0.1')
    })
    far.on('message', (datagram) => this.#queue(datagram))
  }

  /** The port for the client. */
  get port(): number {
    return this.#near.address().port
  }

  close(): void {
    this.#near.close()
    this.#far.close()
  }

  #queue(datagram: Buffer): void {
    const now = performance.now()
    const waitMs = Math.max(0, this.#freeAt - now)
    if (waitMs > QUEUE_MS) {
      this.dropped++
      return
    }
    this.passed++
    this.longestWaitMs = Math.max(this.longestWaitMs, waitMs)
    const sendingMs = ((datagram.length + HEAD_BYTES) * 8 * 1000) / this.bitsPerSecond
    this.#freeAt = now + waitMs + sendingMs
    if (waitMs + sendingMs < 1) this.#pass(datagram)
    else setTimeout(() => this.#pass(datagram), waitMs + sendingMs)
  }

  #pass(datagram: Buffer): void {
    try {
      if (this.#client !== undefined) this.#near.send(datagram, this.#client, '127.0.0.1')
    } catch {
      // The socket was closed before the packet was sent.
    }
  }
}
