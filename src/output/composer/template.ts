/**
 * A caller's page in a browser on this machine must not reach private addresses (contract, outputs §2.3). Its browser
 * connects only through this proxy, which resolves names itself and allows public addresses and this server.
 */
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, isIPv6, type AddressInfo, type Socket } from 'node:net'
import { pipeline, type Duplex } from 'node:stream'
import { ownLoopback } from '../../loopback.ts'
import { addressOf, bare, type MayReach } from './reach.ts'

export interface TemplateGuard {
  mayReach: MayReach
  /** Where this machine finds this server, if that is what a host and a port stand for. */
  inside: (host: string, port: number) => string | undefined
  /** Certificates of this server that nobody vouches for: SHA-256 of their public keys, in base64. */
  ownKeys: () => string[]
}

export interface OpenTemplate {
  /** Flags for the browser. */
  flags: string[]
  close: () => Promise<void>
}

interface Place {
  host: string
  port: number
}

const CONNECT_TIMEOUT_MS = 15_000
/** A renderer that uses more memory is ended. */
const MAX_HEAP_MEGABYTES = 1024

export async function openTemplate(guard: TemplateGuard): Promise<OpenTemplate> {
  const sockets = new Set<Duplex>()
  const server = createServer((asked, answer) => void forward(guard, asked, answer))
  server.on('connection', (socket: Socket) => keep(sockets, socket))
  server.on('connect', (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    void tunnel(guard, asked.url ?? '', socket, head, sockets)
  })
  const address = ownLoopback()
  server.listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    flags: [
      `--proxy-server=http://${isIPv6(address) ? `[${address}]` : address}:${port}`,
      // Requests to this machine must use the proxy too.
      '--proxy-bypass-list=<-loopback>',
      // Media goes through the proxy too, over TCP: around it, it could go anywhere.
      '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
      ...guard.ownKeys().map((key) => `--ignore-certificate-errors-spki-list=${key}`),
      '--disable-file-system',
      `--js-flags=--max-old-space-size=${MAX_HEAP_MEGABYTES}`,
    ],
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

function keep(sockets: Set<Duplex>, socket: Duplex): void {
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
}

async function tunnel(
  guard: TemplateGuard,
  to: string,
  socket: Duplex,
  head: Buffer,
  sockets: Set<Duplex>,
): Promise<void> {
  const place = await allowed(guard, `http://${to}`, 443)
  if (socket.destroyed) return
  if (!place) {
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    return
  }
  const upstream = connect(place.port, place.host)
  keep(sockets, upstream)
  upstream.setTimeout(CONNECT_TIMEOUT_MS, () => upstream.destroy())
  upstream.once('error', () => socket.destroy())
  upstream.once('close', () => socket.destroy())
  socket.once('close', () => upstream.destroy())
  upstream.once('connect', () => {
    upstream.setTimeout(0)
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    upstream.write(head)
    upstream.pipe(socket).pipe(upstream)
  })
}

/** Forwards an unencrypted request, which names a whole address. */
async function forward(guard: TemplateGuard, asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const place = await allowed(guard, asked.url ?? '', 80)
  if (answer.destroyed) return
  if (!place) {
    answer.writeHead(403).end()
    return
  }
  const { pathname, search } = new URL(asked.url!)
  const onward = request({
    ...place,
    method: asked.method,
    path: pathname + search,
    headers: asked.headers,
    timeout: CONNECT_TIMEOUT_MS,
  })
  onward.once('response', (response) => {
    try {
      answer.writeHead(response.statusCode!, response.headers)
    } catch {
      // Node accepts answers that it cannot write, e.g. with the status 99.
      onward.destroy()
      answer.writeHead(502).end()
      return
    }
    // An answer that breaks off breaks off for the browser too.
    pipeline(response, answer, () => undefined)
  })
  onward.once('timeout', () => onward.destroy())
  onward.once('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()))
  answer.once('close', () => onward.destroy())
  asked.pipe(onward)
}

/**
 * Returns the address to connect to; undefined if it is not allowed. The name is resolved only once, so that its
 * address cannot change afterwards.
 */
async function allowed(
  { mayReach, inside }: TemplateGuard,
  url: string,
  defaultPort: number,
): Promise<Place | undefined> {
  if (!URL.canParse(url)) return undefined
  const { hostname, port: given } = new URL(url)
  const port = given === '' ? defaultPort : Number(given)
  const host = inside(bare(hostname), port) ?? (await addressOf(hostname, mayReach))
  return host === undefined ? undefined : { host, port }
}
