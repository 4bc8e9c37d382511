/** By which address the caller reached this server; what goes into links and tells clients where to connect. */
import type { FastifyRequest } from 'fastify'
import { inUrl, kindOf, withoutMapping } from '../../addresses.ts'

/** Also with underscores, as containers are named. What else is wrong with a host, `URL` finds. */
const HOST_HEADER = /^([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$/i

/** The end of a connection that is ours. */
export interface OwnEnd {
  localAddress?: string | undefined
  localPort?: number | undefined
}

export function hostOf(request: FastifyRequest, settings: { publicUrl: string | undefined }): string {
  if (settings.publicUrl !== undefined) return new URL(settings.publicUrl).host
  return hostGiven(request.headers.host, request.socket)
}

/** The host that the caller named, if it is one that can be connected to; else the address at which the caller is. */
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
