/** The meeting page, as it was built. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Routes } from './context.ts'
import { undescribed } from './describe.ts'

/** Nothing inline, nothing from elsewhere; anybody may embed the page. */
const POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  'frame-ancestors *',
].join('; ')

export const PAGE_HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'permissions-policy': 'camera=*, microphone=*, display-capture=*',
}

export const pageRoutes: Routes = (app, { settings }) => {
  const index = join(settings.pageFolder, 'index.html')
  const html = existsSync(index) ? readFileSync(index) : undefined
  const page = (request: FastifyRequest, reply: FastifyReply): unknown => {
    if (!request.headers.accept?.includes('text/html')) return { hello: 'Anteroom', page: html !== undefined }
    void reply.headers({
      ...PAGE_HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    })
    return (
      html ??
      '<!doctype html><title>Anteroom</title><p>The page is not built yet: run <code>npm run page</code>.'
    )
  }
  app.get('/', undescribed, page)
  app.get('/m/*', undescribed, page)
  if (html) {
    void app.register(fastifyStatic, {
      root: join(settings.pageFolder, 'assets'),
      prefix: '/assets/',
      immutable: true,
      maxAge: '365d',
      setHeaders: (reply) => void reply.header('x-content-type-options', 'nosniff'),
    })
  }
}
