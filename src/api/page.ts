/** The meeting page and the dashboard, as they were built. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Routes } from './context.ts'
import { undescribed } from './describe.ts'

/** Nothing inline, nothing from elsewhere. */
const NARROW = ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'none'"]

const COMMON = { 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' }

/** Anybody may embed the meeting page. */
export const PAGE_HEADERS = {
  ...COMMON,
  'content-security-policy': [
    ...NARROW,
    "connect-src 'self' ws: wss:",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "worker-src 'self' blob:",
    'frame-ancestors *',
  ].join('; '),
  'permissions-policy': 'camera=*, microphone=*, display-capture=*',
  'cache-control': 'no-cache',
}

/** Nobody may put the dashboard into a frame, nor keep it. */
export const DASHBOARD_HEADERS = {
  ...COMMON,
  'content-security-policy': [...NARROW, "frame-ancestors 'none'"].join('; '),
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), microphone=(), display-capture=()',
  'cache-control': 'no-store',
}

export const pageRoutes: Routes = (app, { settings }) => {
  const meeting = built(join(settings.pageFolder, 'index.html'))
  const dashboard = built(join(settings.pageFolder, 'dashboard', 'index.html'))
  const page = (request: FastifyRequest, reply: FastifyReply): unknown => {
    if (!request.headers.accept?.includes('text/html'))
      return { hello: 'Anteroom', page: meeting !== undefined }
    return send(reply, PAGE_HEADERS, meeting)
  }
  app.get('/', undescribed, page)
  app.get('/m/*', undescribed, page)
  for (const path of ['/dashboard', '/dashboard/*'])
    app.get(path, undescribed, (_request, reply) => send(reply, DASHBOARD_HEADERS, dashboard))
  if (meeting) {
    void app.register(fastifyStatic, {
      root: join(settings.pageFolder, 'assets'),
      prefix: '/assets/',
      immutable: true,
      maxAge: '365d',
      setHeaders: (reply) => void reply.header('x-content-type-options', 'nosniff'),
    })
  }
}

function built(file: string): Buffer | undefined {
  return existsSync(file) ? readFileSync(file) : undefined
}

function send(reply: FastifyReply, headers: Record<string, string>, html: Buffer | undefined): unknown {
  void reply.headers({ ...headers, 'content-type': 'text/html; charset=utf-8' })
  return (
    html ??
    '<!doctype html><title>Anteroom</title><p>The page is not built yet: run <code>npm run page</code>.'
  )
}
