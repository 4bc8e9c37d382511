/**
 * Carries ICE, DTLS and media for werift where its own sockets do not lead to the server: a socket on loopback that stands for a candidate of the
 * server. Werift's own ways over TCP write without a limit, so that media arrives later and later on a narrow line.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, isIPv6, type Socket } from 'node:net'
import { encodeTcpFrame, splitTcpFrames } from 'werift'
import { ownLoopback } from '../loopback.ts'

/** More is not sent, like packets for which a line is too narrow; otherwise they would arrive later and later. */
export const MAX_WAITING_BYTES = 256 * 1024

/** Carries datagrams to one candidate of the server, and back. */
export interface Way {
  send: (message: Buffer) => void
  close: () => void
}

/** Called when the first datagram comes. */
export type OpenWay = (onMessage: (message: Buffer) => void) => Way

export class Bridge {
  readonly #udp: UdpSocket
  readonly #open: OpenWay
  #way: Way | undefined
  /** The socket of werift that began. */
  #own: { address: string; port: number } | undefined
  #isClosed = false

  private constructor(udp: UdpSocket, open: OpenWay) {
    this.#udp = udp
    this.#open = open
    udp.on('message', (message, from) => this.#carry(message, from))
    udp.on('error', () => this.close())
  }

  static async open(open: OpenWay): Promise<Bridge> {
    const udp = createSocket(isIPv6(ownLoopback()) ? 'udp6' : 'udp4')
    udp.bind(0, ownLoopback())
    await once(udp, 'listening')
    return new Bridge(udp, open)
  }

  /** Where datagrams for the other side go. */
  get address(): { ip: string; port: number } {
    const { address, port } = this.#udp.address()
    return { ip: address, port }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#way?.close()
    this.#udp.close()
  }

  #carry(message: Buffer, { address, port }: { address: string; port: number }): void {
    if (this.#isClosed) return
    // One connection is one way of ICE, so only one of werift's sockets may use it.
    this.#own ??= { address, port }
    if (port !== this.#own.port || address !== this.#own.address) return
    this.#way ??= this.#open((answer) => {
      if (!this.#isClosed && this.#own) this.#udp.send(answer, this.#own.port, this.#own.address)
    })
    this.#way.send(message)
  }
}

/** Over TCP to a candidate of the server (RFC 6544). */
export function overTcp(host: string, port: number): OpenWay {
  return (onMessage) => {
    const tcp: Socket = connect({ host, port, noDelay: true })
    let rest: Buffer = Buffer.alloc(0)
    tcp.on('data', (chunk) => {
      const split = splitTcpFrames(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))
      rest = split.rest
      for (const message of split.frames) onMessage(message)
    })
    // ICE sees that nothing comes back.
    tcp.on('error', () => tcp.destroy())
    return {
      send: (message) => {
        if (tcp.writableLength <= MAX_WAITING_BYTES) tcp.write(encodeTcpFrame(message))
      },
      close: () => tcp.destroy(),
    }
  }
}
