/** A line on which STUN messages travel: UDP, TCP or TLS. */
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIPv6, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { encodeTcpFrame, splitTcpFrames } from 'werift'

export interface Endpoint {
  address: string
  port: number
}

export type Protocol = 'udp' | 'tcp' | 'tls'
/** `none`: a message after the other. `length`: two bytes with its length before each (RFC 4571), as in ICE over TCP. */
export type Framing = 'none' | 'length'

/** Nothing answered, or the line could not be opened; one sentence. */
export class LineFailed extends Error {
  override readonly name = 'LineFailed'
}

/** How long a line may take to open, and the other side to answer. */
const PATIENCE_MS = 5000
const REPEAT_MS = 500
/** No message of these protocols is longer. */
const MAX_BYTES = 2048
const HEADER_BYTES = 20

export class Line {
  readonly #protocol: Protocol
  readonly #listeners = new Set<(bytes: Buffer) => void>()
  /** Aborted when the other side ends the line. */
  readonly #ended: AbortSignal
  readonly #write: (bytes: Buffer) => void
  readonly #close: () => void

  private constructor(
    protocol: Protocol,
    write: (bytes: Buffer) => void,
    close: () => void,
    hear: (listener: (bytes: Buffer) => void) => void,
    ended: AbortSignal = new AbortController().signal,
  ) {
    this.#protocol = protocol
    this.#ended = ended
    this.#write = write
    this.#close = close
    hear((bytes) => {
      for (const listener of this.#listeners) listener(bytes)
    })
  }

  /** @throws {LineFailed} */
  static async open(protocol: Protocol, { address: host, port }: Endpoint, framing: Framing): Promise<Line> {
    const { address } = await lookup(host).catch(() => {
      throw new LineFailed(`${host} has no address`)
    })
    return protocol === 'udp'
      ? Line.#openUdp(address, port)
      : Line.#openStream(protocol, { host, address, port }, framing)
  }

  static #openUdp(address: string, port: number): Line {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    // Where the system refuses to send, nothing answers.
    socket.on('error', () => undefined)
    return new Line(
      'udp',
      (bytes) => socket.send(bytes, port, address, () => undefined),
      () => socket.close(),
      (listener) => socket.on('message', listener),
    )
  }

  static async #openStream(
    protocol: 'tcp' | 'tls',
    { host, address, port }: { host: string; address: string; port: number },
    framing: Framing,
  ): Promise<Line> {
    const socket: Socket =
      protocol === 'tcp'
        ? connectTcp({ host: address, port })
        : connectTls({ host: address, port, ...(host !== address && { servername: host }) })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => fail(new Error('nothing answers')), PATIENCE_MS)
      const fail = (error: Error): void => {
        clearTimeout(timer)
        socket.destroy()
        reject(new LineFailed(describe(error), { cause: error }))
      }
      socket.once('error', fail)
      socket.once(protocol === 'tls' ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        socket.off('error', fail)
        resolve()
      })
    })
    const ended = new AbortController()
    socket.on('error', () => socket.destroy())
    socket.once('close', () => ended.abort())
    return new Line(
      protocol,
      (bytes) => socket.write(framing === 'length' ? encodeTcpFrame(bytes) : bytes),
      () => socket.destroy(),
      (listener) => splitInto(socket, framing, listener),
      ended.signal,
    )
  }

  send(bytes: Buffer): void {
    this.#write(bytes)
  }

  /**
   * Sends until an answer comes that `pick` takes, and returns what it made of it.
   * @throws {LineFailed}
   */
  ask<T>(request: Buffer, pick: (bytes: Buffer) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearInterval(repeating)
        clearTimeout(timer)
        this.#ended.removeEventListener('abort', cutOff)
        this.#listeners.delete(listen)
      }
      const listen = (bytes: Buffer): void => {
        const picked = pick(bytes)
        if (picked === undefined) return
        done()
        resolve(picked)
      }
      const fail = (says: string): void => {
        done()
        reject(new LineFailed(says))
      }
      const cutOff = (): void => fail('the connection was closed')
      if (this.#ended.aborted) return reject(new LineFailed('the connection was closed'))
      this.#ended.addEventListener('abort', cutOff)
      const timer = setTimeout(() => fail('nothing answers'), PATIENCE_MS)
      const again = this.#protocol === 'udp' ? REPEAT_MS : PATIENCE_MS
      const repeating = setInterval(() => this.#write(request), again)
      this.#listeners.add(listen)
      this.#write(request)
    })
  }

  close(): void {
    this.#close()
  }
}

function splitInto(socket: Socket, framing: Framing, listener: (bytes: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    const split = (framing === 'length' ? splitTcpFrames : splitMessages)(Buffer.concat([rest, chunk]))
    rest = split.rest
    for (const frame of split.frames) listener(frame)
    if (rest.length > MAX_BYTES) socket.destroy()
  })
}

/** STUN messages one after the other; each has its length in its header (RFC 8489, section 5). */
function splitMessages(bytes: Buffer): { frames: Buffer[]; rest: Buffer } {
  const frames = []
  let rest = bytes
  while (rest.length >= HEADER_BYTES) {
    const length = HEADER_BYTES + rest.readUInt16BE(2)
    if (rest.length < length) break
    frames.push(rest.subarray(0, length))
    rest = rest.subarray(length)
  }
  return { frames, rest }
}

function describe({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return 'the connection is refused'
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'there is no way to that network'
  if (/CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(code ?? ''))
    return `its certificate is not valid (${message})`
  return message
}
