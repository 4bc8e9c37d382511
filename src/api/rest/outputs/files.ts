/** Gives out the files of outputs to whoever has their address, which nobody can guess. */
import { timingSafeEqual } from 'node:crypto'
import fastifyStatic from '@fastify/static'
import type { FastifyReply } from 'fastify'
import { stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import type { Routes } from '../../context.ts'
import { OUTPUTS_PATH } from '../../../meeting/outputs/addresses.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { undescribed } from '../describe.ts'

const contentTypes: Record<string, string> = {
  '.mp4': 'video/mp4',
  '.m4s': 'video/iso.segment',
  '.m4a': 'audio/mp4',
  '.webm': 'video/webm',
  '.mkv': 'video/x-matroska',
  '.mp3': 'audio/mpeg',
  '.ts': 'video/mp2t',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.txt': 'text/plain; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.srt': 'application/x-subrip; charset=utf-8',
  '.vtt': 'text/vtt; charset=utf-8',
}

/** Files that change while an output goes on. */
const GROWING: ReadonlySet<string> = new Set(['.m3u8'])

export const outputFileRoutes: Routes = (app, context) => {
  void app.register((files, _options, done) => {
    void files.register(fastifyStatic, {
      root: context.outputsFolder,
      serve: false,
      cacheControl: false,
    })
    files.get(`${OUTPUTS_PATH}/:outputId/:secret/*`, undescribed, async (request, reply) => {
      const { outputId, secret, '*': path } = request.params as Record<string, string>
      const output = await context.store.outputs.get(outputId!)
      const type = contentTypes[extname(path!)]
      if (!output || !isSame(secret!, output.secret) || type === undefined || !isInside(path!))
        throw new Refusal('NOT_FOUND')
      const there = await stat(join(context.outputsFolder, outputId!, path!)).catch(() => undefined)
      if (!there?.isFile()) throw new Refusal('NOT_FOUND')
      return send(reply, `${outputId}/${path}`, type)
    })
    done()
  })
}

function send(reply: FastifyReply, path: string, type: string): FastifyReply {
  const growing = GROWING.has(extname(path))
  return reply
    .headers({
      'content-type': type,
      'content-disposition': `inline; filename*=UTF-8''${encodeURIComponent(basename(path))}`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': growing ? 'no-cache' : 'private, max-age=3600',
    })
    .sendFile(path)
}

/** No part of the path leads out, or to a file that is not for giving out. */
function isInside(path: string): boolean {
  return path.split('/').every((part) => part !== '' && !part.startsWith('.'))
}

function isSame(given: string, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)]
  return a.length === b.length && timingSafeEqual(a, b)
}
