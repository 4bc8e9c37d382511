/** The base URL by which the caller reached this server, for links and for telling clients where to connect. */
import type { FastifyRequest } from 'fastify'
import { inUrl, kindOf, withoutMapping } from '../../addresses.ts'

/** Allows underscores, as in names of containers. `URL` finds everything else that is wrong with a host. */
const HOST_HEADER = /^([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$/i

/** The server's end of a connection. */
export interface OwnEnd {
  localAddress?: string | undefined
  localPort?: number | undefined
}

export function hostOf(request: FastifyRequest, settings: { publicUrl: string | undefined }): string {
  if (settings.publicUrl !== undefined) return new URL(settings.publicUrl).host
  return hostGiven(request.headers.host, request.socket)
}

/** The host that the caller named, if it can be connected to; otherwise the address at which the caller is connected. */
export function hostGiven(header: string | undefined, own: OwnEnd): string {
  if (header !== undefined && isReachable(header)) return header
  const address = withoutMapping(own.localAddress ?? '127.0.0.1').replace(/%.*$/, '')
  return `${inUrl(address)}${own.localPort === undefined ? '' : `:${own.localPort}`}`
}

function isReachable(header: string): boolean {
  if (!HOST_HEADER.test(header) || !URL.canParse(`http://${header}`)) return false
  const { hostname } = new URL(`http://${header}`)
  return kindOf(hostname.replace(/^\[|\]$/g, '')) !== 'any'
}

export function baseUrlOf(request: FastifyRequest, settings: { publicUrl: string | undefined }): string {
  return settings.publicUrl ?? `${request.protocol}://${hostOf(request, settings)}`
}
