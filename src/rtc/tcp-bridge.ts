/**
 * Carries ICE, DTLS and media over TCP for werift: a socket on loopback that stands for a TCP candidate. Werift's own candidates over TCP write
 * without a limit, so that media arrives later and later on a narrow line.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, isIPv6, type Socket } from 'node:net'
import { encodeTcpFrame, splitTcpFrames } from 'werift'
import { ownLoopback } from '../loopback.ts'

/** More is not sent, like packets for which a line is too narrow; otherwise they would arrive later and later. */
const MAX_WAITING_BYTES = 256 * 1024

export class TcpBridge {
  readonly #udp: UdpSocket
  readonly #target: { host: string; port: number }
  #tcp: Socket | undefined
  /** The socket of werift that began. */
  #own: { address: string; port: number } | undefined
  #isClosed = false

  private constructor(udp: UdpSocket, target: { host: string; port: number }) {
    this.#udp = udp
    this.#target = target
    udp.on('message', (message, from) => this.#carry(message, from))
    udp.on('error', () => this.close())
  }

  /** Connects when the first datagram comes. */
  static async open(host: string, port: number): Promise<TcpBridge> {
    const udp = createSocket(isIPv6(ownLoopback()) ? 'udp6' : 'udp4')
    udp.bind(0, ownLoopback())
    await once(udp, 'listening')
    return new TcpBridge(udp, { host, port })
  }

  /** Where datagrams for the other side go. */
  get address(): { ip: string; port: number } {
    const { address, port } = this.#udp.address()
    return { ip: address, port }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#tcp?.destroy()
    this.#udp.close()
  }

  #carry(message: Buffer, { address, port }: { address: string; port: number }): void {
    if (this.#isClosed) return
    // One connection is one way of ICE, so only one of werift's sockets may use it.
    this.#own ??= { address, port }
    if (port !== this.#own.port || address !== this.#own.address) return
    this.#tcp ??= this.#connect()
    if (this.#tcp.writableLength > MAX_WAITING_BYTES) return
    this.#tcp.write(encodeTcpFrame(message))
  }

  #connect(): Socket {
    const tcp = connect({ ...this.#target, noDelay: true })
    let rest: Buffer = Buffer.alloc(0)
    tcp.on('data', (chunk) => {
      const split = splitTcpFrames(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))
      rest = split.rest
      for (const message of split.frames)
        if (!this.#isClosed && this.#own) this.#udp.send(message, this.#own.port, this.#own.address)
    })
    // ICE sees that nothing comes back.
    tcp.on('error', () => tcp.destroy())
    return tcp
  }
}
