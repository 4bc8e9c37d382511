/** Callers with an address of their own on this machine, for floods. */
import { once } from 'node:events'
import { request as httpRequest, type Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'

/** The source: an address of 127.0.0.0/8, or the client that a trusted proxy names. */
export interface From {
  localAddress?: string
  headers?: Record<string, string>
}

export interface Answered {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: any
}

const PATIENCE_MS = 60_000

/** Sends one request on its own connection, or on that of `agent`. */
export function ask(
  url: string,
  path: string,
  options: From & { method?: string; body?: string; agent?: Agent } = {},
): Promise<Answered> {
  const { localAddress, headers = {}, method = 'GET', body, agent = false } = options
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const request = httpRequest(
      {
        host: hostname === 'localhost' ? '127.0.0.1' : hostname,
        port,
        path,
        method,
        agent,
        ...(localAddress !== undefined && { localAddress }),
        headers: { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
        timeout: PATIENCE_MS,
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('end', () => {
          const isJson = response.headers['content-type']?.includes('json')
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: isJson ? JSON.parse(text) : text,
          })
        })
      },
    )
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.end(body)
  })
}

/** Opens a connection that sends nothing by itself. */
export async function openSocket(url: string, localAddress?: string): Promise<Socket> {
  const socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    ...(localAddress !== undefined && { localAddress }),
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Returns everything received until the other side closed the connection. */
export async function heardUntilClosed(socket: Socket): Promise<string> {
  let heard = ''
  const timer = setTimeout(() => socket.destroy(new Error('not closed')), PATIENCE_MS)
  socket.on('data', (chunk) => (heard += String(chunk)))
  if (!socket.closed) await once(socket, 'close')
  clearTimeout(timer)
  return heard
}

/** Opens a WebSocket that sends nothing. `refused`: the status with which it was refused. */
export function openHalf(url: string, from: From = {}): Promise<{ socket?: WebSocket; refused?: Answered }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, {
      ...from,
      handshakeTimeout: PATIENCE_MS,
    })
    socket.on('open', () => resolve({ socket }))
    socket.on('unexpected-response', (_request, response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () =>
        resolve({
          refused: { status: response.statusCode!, headers: response.headers, body: JSON.parse(text) },
        }),
      )
    })
    socket.on('error', reject)
  })
}
