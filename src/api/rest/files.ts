/**
 * Files shared in a meeting (contract, signalling §1.4): uploaded and downloaded by participants, for as long
 * as the session lasts, and never served as something that a browser would run.
 */
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Routes } from '../context.ts'
import { asRefusal, Refusal } from '../../protocol/errors.ts'
import { FileBody, FileQuery, FileUrl } from '../../protocol/rest/joining.ts'
import { grantFor, meetingFor } from './authorise.ts'
import { baseUrlOf } from '../http/base-url.ts'
import { grantOf } from '../context.ts'
import { describe } from './describe.ts'

const tag = 'Joining'
/** Base64 takes four characters for three bytes; the rest is for the names around it. */
const BODY_OVERHEAD_BYTES = 4096
const TOKEN_INSIDE_BYTES = 256 * 1024
const DATA_URL = /^data:[^,]{0,200};base64,/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** The type of a file by its first bytes; unknown files are plain bytes. None of these types can contain a script. */
const types: [type: string, begins: number[], at?: number][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x57, 0x45, 0x42, 0x50], 8],
  ['video/mp4', [0x66, 0x74, 0x79, 0x70], 4],
  ['video/webm', [0x1a, 0x45, 0xdf, 0xa3]],
  ['application/zip', [0x50, 0x4b, 0x03, 0x04]],
]

function typeOf(bytes: Uint8Array): string {
  const found = types.find(([, begins, at = 0]) => begins.every((byte, index) => bytes[at + index] === byte))
  return found?.[0] ?? 'application/octet-stream'
}

export const fileRoutes: Routes = (app, context) => {
  const { settings, meetings, store, gate } = context

  /** The session in which a holder of this token is inside. */
  const sessionOf = async (request: FastifyRequest): Promise<string> => {
    const sessionId = await meetings.sessionOf(meetingFor(request).meetingId, grantFor(request).tokenId)
    if (sessionId === undefined) {
      throw new Refusal('UNAUTHORIZED_REQUEST', {
        message: 'Only participants of the meeting may use its files.',
      })
    }
    return sessionId
  }

  /** A large body is read only if a valid token comes before it, in a header. */
  const refusalUnread = (request: FastifyRequest): Refusal | undefined => {
    const { authorization = '', 'content-length': length } = request.headers
    if (authorization === '' && Number(length ?? Infinity) <= TOKEN_INSIDE_BYTES) return undefined
    try {
      grantOf(request, context)
      return undefined
    } catch (thrown) {
      return asRefusal(thrown)
    }
  }

  app.post(
    '/base64-upload',
    {
      ...describe({
        summary: 'Share a file in the meeting; only for participants inside',
        audit: null,
        tag,
        access: 'token',
        action: 'shareFiles',
        about: { meeting: ({ query }) => query.roomId ?? '' },
        query: FileQuery,
        body: FileBody,
        answer: FileUrl,
        refusals: ['ADD_ON_SERVICES_DISABLED'],
      }),
      onRequest: (request, _reply, done) => {
        done(settings.maxFileBytes === 0 ? new Refusal('ADD_ON_SERVICES_DISABLED') : refusalUnread(request))
      },
      bodyLimit: Math.ceil((settings.maxFileBytes * 4) / 3) + BODY_OVERHEAD_BYTES,
    },
    async (request) => {
      const { roomId: anyId = '' } = request.query
      const sessionId = await sessionOf(request)
      gate.countUpload(grantFor(request), sessionId)
      const { fileName, base64Data } = request.body
      const text = base64Data.replace(DATA_URL, '')
      if (!BASE64.test(text)) throw new Refusal('INVALID_REQUEST', { message: 'base64Data must be base64.' })
      const bytes = Buffer.from(text, 'base64')
      if (bytes.length > settings.maxFileBytes) throw new Refusal('PAYLOAD_TOO_LARGE')

      const fileId = await meetings.shareFile(meetingFor(request).meetingId, grantFor(request), bytes)
      const name = encodeURIComponent(safeName(fileName))
      return { url: `${baseUrlOf(request, settings)}/files/${encodeURIComponent(anyId)}/${fileId}/${name}` }
    },
  )

  app.get(
    '/files/:meetingId/:fileId/:name',
    describe({
      summary: 'Get a shared file; only for participants inside',
      tag,
      access: 'token',
      action: 'shareFiles',
      about: { meeting: ({ params }) => params.meetingId },
      params: Type.Object({ meetingId: Type.String(), fileId: Type.String(), name: Type.String() }),
      answer: Type.String({ description: 'The content, as an attachment.' }),
      answerType: 'application/octet-stream',
      refusals: ['NOT_FOUND'],
    }),
    async (request, reply) => {
      const { fileId, name } = request.params
      const bytes = await store.files.get(await sessionOf(request), fileId)
      if (!bytes) throw new Refusal('NOT_FOUND')
      return reply
        .headers({
          'content-type': typeOf(bytes),
          'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(safeName(name))}`,
          'content-security-policy': "default-src 'none'; sandbox",
          'x-content-type-options': 'nosniff',
          'cross-origin-resource-policy': 'cross-origin',
          'cache-control': 'private, no-store',
        })
        .send(bytes)
    },
  )
}

/** A file name without a path and without characters that some systems forbid. */
function safeName(name: string): string {
  const plain = name.replace(/^.*[\\/]/s, '').replace(/[^\p{L}\p{N}. _()-]/gu, '_')
  // A lone surrogate at the end could not be encoded in a URL.
  const short = plain.replace(/^\.+/, '').slice(0, 100)
  return short.replace(/[\ud800-\udbff]$/, '') || 'file'
}
