/** Whether a browser sends a request for a page of this server or for a foreign page. */
import type { FastifyRequest } from 'fastify'
import { baseUrlOf } from './base-url.ts'

export interface OwnAddress {
  host: string
  publicUrl: string | undefined
}

/** Whether a page of this server sent it; false if the browser does not say so. */
export function isFromOwnPage(request: FastifyRequest, settings: OwnAddress): boolean {
  const { origin } = request.headers
  if (origin !== undefined) return isOwnOrigin(origin, request, settings)
  return request.headers['sec-fetch-site'] === 'same-origin'
}

/** Whether a foreign page sent it, as far as the browser says. */
export function isFromForeignPage(request: FastifyRequest, settings: OwnAddress): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined) return !isOwnOrigin(origin, request, settings)
  // `none`: a person typed the address.
  return site !== undefined && site !== 'same-origin' && site !== 'none'
}

function isOwnOrigin(origin: string, request: FastifyRequest, settings: OwnAddress): boolean {
  const direct = `${request.protocol}://${request.headers.host ?? ''}`
  return origin === direct || origin === new URL(baseUrlOf(request, settings)).origin
}
