/**
 * Simulates a bad line between clients and a server in user space: forwards one loopback address to another, with loss,
 * delay, silence, or another source address. Needs no privileges, and works without the kernel's `netem`.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface LineQuality {
  /**
   * Share of datagrams lost in each direction, from 0 to 1. TCP streams lose nothing, because the system would send it
   * again.
   */
  loss: number
  /** In each direction. */
  delayMs: number
  /** Nothing is forwarded; streams stay open but silent. */
  silent: boolean
  /** The bandwidth to each client's media socket. Excess packets wait, and are dropped if they wait too long. */
  downBitsPerSecond: number
}

const GOOD: LineQuality = { loss: 0, delayMs: 0, silent: false, downBitsPerSecond: Infinity }
/** The address at which clients reach the line, and the one at which the server listens. */
export const LINE_ADDRESS = '127.0.0.2'
const SERVER_ADDRESS = '127.0.0.1'
const SILENCE_CHECK_MS = 50
/** As long as the queue of an ordinary router. */
const LONGEST_QUEUE_MS = 300

export class BadLine {
  quality: LineQuality = { ...GOOD }
  /** The last part of the address from which the server sees clients. */
  #address = 3
  readonly #servers: Server[] = []
  readonly #doors: UdpSocket[] = []
  readonly #pairs = new Set<{ client: Socket; upstream: Socket }>()
  readonly #ways = new Map<string, UdpSocket>()

  static async open(tcpPorts: readonly number[], mediaPorts: readonly number[]): Promise<BadLine> {
    const line = new BadLine()
    for (const port of [...tcpPorts, ...mediaPorts]) await line.#listen(port)
    for (const port of mediaPorts) await line.#carry(port)
    return line
  }

  mend(): void {
    this.quality = { ...GOOD }
  }

  /** As when a phone changes the network: streams are cut, and datagrams come from another address. */
  changeAddress(): void {
    this.#address++
    for (const { client, upstream } of this.#pairs) {
      client.destroy()
      upstream.destroy()
    }
    for (const way of this.#ways.values()) way.close()
    this.#ways.clear()
  }

  close(): void {
    this.changeAddress()
    for (const server of this.#servers) server.close()
    for (const door of this.#doors) door.close()
  }

  get #from(): string {
    return `127.0.0.${this.#address}`
  }

  async #listen(port: number): Promise<void> {
    const server = createServer((client) => {
      const upstream = connect({ port, host: SERVER_ADDRESS, localAddress: this.#from })
      const pair = { client, upstream }
      this.#pairs.add(pair)
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.on('error', () => undefined)
        from.on('close', () => {
          this.#pairs.delete(pair)
          to.destroy()
        })
        void this.#pump(from, to)
      }
    })
    server.listen(port, LINE_ADDRESS)
    await once(server, 'listening')
    this.#servers.push(server)
  }

  /** Forwards bytes in order, each part with the delay of the line at its arrival. */
  async #pump(from: Socket, to: Socket): Promise<void> {
    let last = Promise.resolve()
    try {
      for await (const part of from) {
        const { delayMs } = this.quality
        const late = delayMs > 0 ? wait(delayMs) : undefined
        last = last.then(async () => {
          await late
          while (this.quality.silent && !to.destroyed) await wait(SILENCE_CHECK_MS)
          if (!to.destroyed) to.write(part as Buffer)
        })
        // A silent stream is not read further.
        if (late === undefined) await last
      }
      await last
      to.end()
    } catch {
      to.destroy()
    }
  }

  async #carry(port: number): Promise<void> {
    const door = createSocket('udp4')
    door.bind(port, LINE_ADDRESS)
    await once(door, 'listening')
    this.#doors.push(door)
    door.on('message', (datagram, from) => {
      const way = this.#wayOf(door, from, port)
      this.#pass(() => way.send(datagram, port, SERVER_ADDRESS, () => undefined))
    })
  }

  #wayOf(door: UdpSocket, client: RemoteInfo, port: number): UdpSocket {
    const key = `${client.address} ${client.port} ${port}`
    const there = this.#ways.get(key)
    if (there) return there
    const way = createSocket('udp4')
    way.bind(0, this.#from)
    way.on('error', () => undefined)
    let freeAt = 0
    way.on('message', (datagram) => {
      const now = performance.now()
      const queuedMs = Math.max(0, freeAt - now)
      if (queuedMs > LONGEST_QUEUE_MS) return
      const sendingMs = (datagram.length * 8 * 1000) / this.quality.downBitsPerSecond
      freeAt = now + queuedMs + sendingMs
      this.#pass(
        () => door.send(datagram, client.port, client.address, () => undefined),
        queuedMs + sendingMs,
      )
    })
    this.#ways.set(key, way)
    return way
  }

  #pass(send: () => void, queuedMs = 0): void {
    const { loss, silent } = this.quality
    const delayMs = this.quality.delayMs + queuedMs
    if (silent || Math.random() < loss) return
    const late = (): void => {
      try {
        send()
      } catch {
        // The socket was closed before the datagram was sent.
      }
    }
    if (delayMs > 0) setTimeout(late, delayMs)
    else late()
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((next) => setTimeout(next, ms))
}
