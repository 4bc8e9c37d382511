/** Serves the built pages: the meeting page, the dashboard, the whiteboard and the page for recording. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import { contentCodingFor, type ContentCoding } from '../http/content-coding.ts'
import type { Routes } from '../context.ts'
import { branded, styleSource, type Brand } from './brand/brand.ts'
import { undescribed } from './describe.ts'

/** No inline scripts or styles, and nothing from other origins. */
const NARROW = ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'none'"]

/** Lets scripts compile WebAssembly, which effects on pictures and sound need, but no text. */
const WASM = "script-src 'self' 'wasm-unsafe-eval'"

const COMMON = { 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' }

const framersOf = (embedOrigins: readonly string[]): string =>
  embedOrigins.includes('*') ? '*' : ["'self'", ...embedOrigins].join(' ')

/** Of a worker, whose policy comes with its script. The page of another script ignores it. */
const WORKER_POLICY = ["default-src 'none'", WASM, "connect-src 'self'"].join('; ')

/**
 * Of a page that the sites of EMBED_ORIGINS may embed.
 *
 * @param own directives of this page alone
 */
export const pageHeaders = (embedOrigins: readonly string[], own: readonly string[] = []) => ({
  ...COMMON,
  'content-security-policy': [
    ...NARROW,
    "connect-src 'self' ws: wss:",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "worker-src 'self' blob:",
    ...own,
    `frame-ancestors ${framersOf(embedOrigins)}`,
  ].join('; '),
  'permissions-policy': 'camera=*, microphone=*, display-capture=*',
  'cache-control': 'no-cache',
})

/** Any site may embed the whiteboard too, because its address is all that it needs. */
const WHITEBOARD_HEADERS = {
  ...pageHeaders(['*']),
  'permissions-policy': 'camera=(), microphone=(), display-capture=()',
}

/** No site may embed the dashboard, and no cache may store it. */
export const DASHBOARD_HEADERS = {
  ...COMMON,
  'content-security-policy': [...NARROW, "frame-ancestors 'none'"].join('; '),
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), microphone=(), display-capture=()',
  'cache-control': 'no-store',
}

/** The script that apps of other origins load to embed the page. */
const SCRIPT_HEADERS = {
  ...COMMON,
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': 'no-cache',
}

const LOGO_HEADERS = {
  ...COMMON,
  // An SVG may hold scripts, which must not run when somebody opens it by itself.
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  'cache-control': 'public, max-age=31536000, immutable',
}

/** Only the recorder opens this page. */
const RECORDER_HEADERS = {
  ...COMMON,
  'content-security-policy': [
    ...NARROW,
    "connect-src 'self' ws: wss:",
    "media-src 'self' blob:",
    "frame-ancestors 'none'",
  ].join('; '),
  'permissions-policy': 'camera=(), microphone=(), display-capture=(self)',
  'cache-control': 'no-store',
}

export const pageRoutes: Routes = (app, { settings, brand }) => {
  const { logo } = brand
  // The one inline style of the page, if the operator chose a colour.
  const style = styleSource(brand)
  const styles = style === undefined ? [] : [`style-src 'self' ${style}`]
  const headers = pageHeaders(settings.embedOrigins, [WASM, ...styles])
  const start = built(join(settings.pageFolder, 'index.html'), brand)
  const meeting = built(join(settings.pageFolder, 'meeting.html'), brand)
  const dashboard = built(join(settings.pageFolder, 'dashboard', 'index.html'))
  const recorder = built(join(settings.pageFolder, 'recorder', 'index.html'))
  const page =
    (of: Page | undefined) =>
    (request: FastifyRequest, reply: FastifyReply): unknown => {
      void reply.header('vary', 'accept')
      if (!request.headers.accept?.includes('text/html')) return { hello: 'Anteroom', page: of !== undefined }
      return send(request, reply, headers, of)
    }
  app.get('/', undescribed, page(start))
  app.get('/m/*', undescribed, page(meeting))
  app.get('/check', undescribed, page(meeting))
  for (const path of ['/dashboard', '/dashboard/*'])
    app.get(path, undescribed, (request, reply) => send(request, reply, DASHBOARD_HEADERS, dashboard))
  const whiteboard = built(join(settings.pageFolder, 'whiteboard', 'index.html'))
  app.get('/whiteboard', undescribed, (request, reply) =>
    send(request, reply, WHITEBOARD_HEADERS, whiteboard),
  )
  const embed = built(join(settings.pageFolder, 'embed.js'))
  app.get('/embed.js', undescribed, (request, reply) => {
    if (!embed) throw new Refusal('NOT_FOUND')
    return send(request, reply, SCRIPT_HEADERS, embed, 'text/javascript')
  })
  if (logo)
    app.get(logo.path, undescribed, (_request, reply) =>
      reply.headers({ ...LOGO_HEADERS, 'content-type': logo.type }).send(logo.bytes),
    )
  app.get('/recorder', undescribed, (request, reply) => send(request, reply, RECORDER_HEADERS, recorder))
  if (start) {
    void app.register((assets, _options, done) => {
      assets.addHook('onRequest', (request, _reply, next) => {
        // The plugin does not handle `*` and `identity` as RFC 9110 requires, so it gets the result of our negotiation.
        request.headers['accept-encoding'] = codingFor(request)
        next()
      })
      void assets.register(fastifyStatic, {
        root: join(settings.pageFolder, 'assets'),
        prefix: '/assets/',
        // The build creates the compressed files next to each file.
        preCompressed: true,
        // The file name contains a hash of the content.
        immutable: true,
        maxAge: '365d',
        setHeaders: (response, path) => {
          // The path may be that of a compressed file.
          if (/\.js(\.\w+)?$/.test(path)) void response.header('content-security-policy', WORKER_POLICY)
        },
      })
      done()
    })
  }
}

/** A page in every content coding, from the build. */
type Page = Record<ContentCoding, { bytes: Buffer; etag: string }>

function built(file: string, brand?: Brand): Page | undefined {
  if (!existsSync(file)) return undefined
  const read = readFileSync(file)
  const html = brand ? Buffer.from(branded(read.toString(), brand)) : read
  const tagged = (bytes: Buffer): Page[ContentCoding] => ({ bytes, etag: etagOf(bytes) })
  return { identity: tagged(html), br: tagged(brotliCompressSync(html)), gzip: tagged(gzipSync(html)) }
}

/**
 * Derived from the content: all files of a package have the same date, and two builds of a page may have the same
 * length.
 */
function etagOf(bytes: Buffer): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`
}

/** @throws {Refusal} NOT_ACCEPTABLE */
function codingFor(request: FastifyRequest): ContentCoding {
  const coding = contentCodingFor([request.headers['accept-encoding']].flat().join())
  if (coding === undefined) throw new Refusal('NOT_ACCEPTABLE')
  return coding
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  headers: Record<string, string>,
  page: Page | undefined,
  type = 'text/html',
): unknown {
  void reply.headers({ ...headers, 'content-type': `${type}; charset=utf-8` })
  if (!page)
    return '<!doctype html><title>Anteroom</title><p>The page is not built yet: run <code>npm run page</code>.'
  void reply.header('vary', reply.hasHeader('vary') ? 'accept, accept-encoding' : 'accept-encoding')
  const coding = codingFor(request)
  const { bytes, etag } = page[coding]
  if (coding !== 'identity') void reply.header('content-encoding', coding)
  if (headers['cache-control'] === 'no-store') return bytes
  void reply.header('etag', etag)
  return isKnown(etag, request.headers['if-none-match']) ? reply.code(304).send() : bytes
}

function isKnown(etag: string, ifNoneMatch: string | undefined): boolean {
  return (ifNoneMatch ?? '').split(',').some((one) => [etag, '*'].includes(one.trim().replace(/^W\//, '')))
}
