/** What the listener without TLS does while DOMAIN is set: it answers challenges of the ACME server and sends people to HTTPS. */
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { isLoopback, withoutMapping } from '../../addresses.ts'
import type { Challenges } from '../certificate/challenges.ts'

export interface PlainDoor {
  /** The origin of the same server over HTTPS. */
  secureOrigin: string
  challenges: Pick<Challenges, 'fileAt'>
}

/** Whether a request must come by HTTPS instead. Programs of this machine may call by its address. */
export function mustBeSecure(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  secureOrigin: string,
): boolean {
  const { remoteAddress = '', localAddress = '' } = request.socket
  const isFromHere =
    isLoopback(remoteAddress) || withoutMapping(remoteAddress) === withoutMapping(localAddress)
  const name = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
  return !isFromHere || name === new URL(secureOrigin).hostname
}

export function guardPlainDoor(app: FastifyInstance, { secureOrigin, challenges }: PlainDoor): void {
  app.addHook('onRequest', (request, reply, done) => {
    const file = challenges.fileAt(request.raw.url ?? '')
    if (file !== undefined) void reply.type('text/plain').header('cache-control', 'no-store').send(file)
    else if (mustBeSecure(request.raw, secureOrigin))
      void reply
        .code(308)
        .header('location', secureOrigin + locationPath(request.raw.url))
        .send()
    else done()
  })
}

/** The path and query of a request; `/` if it is no path. */
function locationPath(url = '/'): string {
  return url.startsWith('/') ? url : '/'
}
