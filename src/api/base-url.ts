/** By which address the caller reached this server; what goes into links and tells clients where to connect. */
import type { FastifyRequest } from 'fastify'

const HOST_HEADER = /^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$/i

export function hostOf(
  request: FastifyRequest,
  settings: { publicUrl: string | undefined; host: string },
): string {
  if (settings.publicUrl !== undefined) return new URL(settings.publicUrl).host
  return hostGiven(request.headers.host, request.socket.localPort, settings.host)
}

/** The host that the caller named, if it is one; else the address we listen on. */
export function hostGiven(header: string | undefined, port: number | undefined, host: string): string {
  return header !== undefined && HOST_HEADER.test(header) ? header : `${host}:${port ?? ''}`
}

export function baseUrlOf(
  request: FastifyRequest,
  settings: { publicUrl: string | undefined; host: string },
): string {
  return settings.publicUrl ?? `${request.protocol}://${hostOf(request, settings)}`
}
