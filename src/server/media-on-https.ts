/**
 * Lets media pass over TCP through the HTTPS port, for networks in which nothing else is open. The first byte tells TLS
 * from ICE over TCP (RFC 4571: a length before each message), and the first ICE request which media worker it is for.
 */
import { connect, type Socket } from 'node:net'
import type { Server as HttpsServer } from 'node:https'
import { pipeline } from 'node:stream'
import type { TcpTarget } from '../media/sfu.ts'

const TLS_HANDSHAKE = 0x16
const BINDING_REQUEST = 0x0001
const MAGIC_COOKIE = 0x2112a442
const USERNAME = 0x0006
const HEADER_BYTES = 20
const LENGTH_BYTES = 2
/** No ICE request is longer. */
const MAX_REQUEST_BYTES = 1500

export interface MediaOnHttps {
  /** Where the transport with this ICE username fragment is. */
  targetOf(usernameFragment: string): TcpTarget | undefined
  /** How long the whole first request may take, or the first byte of TLS. */
  firstBytesMs: number
}

/** Every connection to this listener that is not TLS becomes one to a media worker, or ends. Call it before `listen`. */
export function passMediaOn(server: HttpsServer, options: MediaOnHttps): void {
  // The listener of TLS itself; those that count connections stay.
  const [acceptTls] = server.listeners('connection') as [(socket: Socket) => void]
  server.removeListener('connection', acceptTls)
  server.on('connection', (socket: Socket) => {
    if (socket.destroyed) return
    const giveUp = (): void => void socket.destroy()
    // Not the socket's own timeout, which each byte begins anew.
    const patience = setTimeout(giveUp, options.firstBytesMs)
    const calm = (): void => clearTimeout(patience)
    socket.once('close', calm)
    socket.on('error', giveUp)
    const settled = (): void => {
      calm()
      socket.removeListener('close', calm)
      socket.removeListener('error', giveUp)
      socket.removeListener('readable', look)
    }
    // Kept here: what is put back into the socket would be readable at once, again and again.
    let bytes = Buffer.alloc(0)
    const look = (): void => {
      const more = socket.read() as Buffer | null
      if (more === null) return
      bytes = Buffer.concat([bytes, more])
      if (bytes[0] === TLS_HANDSHAKE) {
        settled()
        socket.unshift(bytes)
        acceptTls.call(server, socket)
        return
      }
      const request = firstRequest(bytes)
      if (request === 'incomplete') return
      const target = request === undefined ? undefined : options.targetOf(request.usernameFragment)
      if (target === undefined) return giveUp()
      settled()
      forward(socket, bytes, target)
    }
    socket.on('readable', look)
  })
}

function forward(client: Socket, first: Buffer, { host, port }: TcpTarget): void {
  const worker = connect({ host, port, noDelay: true })
  client.setNoDelay(true)
  worker.write(first)
  const ended = (): void => {
    client.destroy()
    worker.destroy()
  }
  pipeline(client, worker, ended)
  pipeline(worker, client, ended)
}

/** The server's username fragment in the first ICE request; undefined if these bytes do not begin with one. */
export function firstRequest(bytes: Buffer): { usernameFragment: string } | 'incomplete' | undefined {
  if (bytes.length < LENGTH_BYTES) return 'incomplete'
  const length = bytes.readUInt16BE(0)
  if (length < HEADER_BYTES || length > MAX_REQUEST_BYTES) return undefined
  if (bytes.length < LENGTH_BYTES + length) return 'incomplete'
  const message = bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length)
  if (message.readUInt16BE(0) !== BINDING_REQUEST || message.readUInt32BE(4) !== MAGIC_COOKIE)
    return undefined
  for (let at = HEADER_BYTES; at + 4 <= message.length;) {
    const [type, size] = [message.readUInt16BE(at), message.readUInt16BE(at + 2)]
    const value = message.subarray(at + 4, at + 4 + size)
    if (type === USERNAME) return { usernameFragment: value.toString('latin1').split(':')[0]! }
    // Values are padded to four bytes.
    at += 4 + Math.ceil(size / 4) * 4
  }
  return undefined
}
