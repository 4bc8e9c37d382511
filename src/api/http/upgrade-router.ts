/** Decides, before any socket opens, whether it is served here or belongs to another node. */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { WHITEBOARD_SOCKET_PATH } from '../../protocol/whiteboard.ts'
import { CHAT_PATH } from '../chat/sockets.ts'

/** Returns whether the socket is served here; otherwise it was taken care of. */
export type Route = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<boolean>

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Call this when everything that serves sockets is attached. */
export function routeUpgrades(listener: HttpServer | HttpsServer, route: Route): void {
  const here = listener.listeners('upgrade') as Upgrade[]
  listener.removeAllListeners('upgrade')
  listener.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Nothing else handles a reset meanwhile.
    socket.on('error', () => socket.destroy())
    route(request, socket, head).then(
      (isHere) => {
        if (isHere && !socket.destroyed) for (const serve of here) serve.call(listener, request, socket, head)
      },
      // The connection, never a close of the protocol: the client comes back by itself.
      () => socket.destroy(),
    )
  })
}

/** What an upgrade names: a meeting by any id and a token, or a meeting by the ticket that it was given. */
export type Named = { token: string; anyId: string } | { meetingId: string } | undefined

export function namedBy({ url = '/' }: IncomingMessage): Named {
  if (!URL.canParse(url, 'http://localhost')) return undefined
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  const ticket = { [CHAT_PATH]: 'ticket', [WHITEBOARD_SOCKET_PATH]: 'key' }[pathname]
  if (ticket !== undefined) {
    const [meetingId] = (searchParams.get(ticket) ?? '').split('.')
    return meetingId ? { meetingId } : undefined
  }
  const [token, anyId] = [searchParams.get('secret'), searchParams.get('roomId')]
  return token && anyId ? { token, anyId } : undefined
}
