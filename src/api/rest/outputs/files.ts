/** Gives out the files of outputs and of jobs to whoever has their address, which nobody can guess: from this machine, from the store of files, or from another node. */
import { timingSafeEqual } from 'node:crypto'
import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { basename, extname } from 'node:path'
import { Readable } from 'node:stream'
import type { HttpContext, Routes } from '../../context.ts'
import { filesOfJob, type FilesOf } from '../../../meeting/outputs/kept-files.ts'
import { OUTPUTS_PATH } from '../../../meeting/outputs/addresses.ts'
import { contentTypeOf } from '../../../output/files/content-types.ts'
import { FileStoreError, NodeAwayError } from '../../../output/files/problem.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { undescribed } from '../describe.ts'

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
      const job = output ? undefined : await context.store.jobs.get(outputId!)
      const owner = output ?? job
      const type = contentTypeOf(path!)
      if (!owner || !isSame(secret!, owner.secret) || type === undefined || !isInside(path!))
        throw new Refusal('NOT_FOUND')
      const isHere = (await context.keptFiles.localPath(outputId!, path!)) !== undefined
      const sendLocal = () => reply.headers(headersOf(path!, type)).sendFile(`${outputId}/${path}`)
      // What this node streamed as the former home of a meeting is not what is streamed now.
      if (isHere && output?.kind !== 'hls') return sendLocal()
      const file = output?.files.find((one) => one.path === path)
      const kept = await context.keptFiles.locate(job ? filesOfJob(job) : output!, file)
      if (isHere && kept.heldBy === undefined) return sendLocal()
      return sendStored(request, reply, context, { output: kept, path: path!, type })
    })
    done()
  })
}

interface Wanted {
  output: FilesOf
  path: string
  type: string
}

/** Passes on a file of the store or of another node. Our address stays the address: no page needs to reach the store, and no signature expires. */
async function sendStored(
  request: FastifyRequest,
  reply: FastifyReply,
  { keptFiles, log }: HttpContext,
  { output, path, type }: Wanted,
): Promise<FastifyReply> {
  const away = (error: unknown): never => refuseWithoutStore(error, { log, outputId: output.outputId })
  const headers = { ...headersOf(path, type), 'accept-ranges': 'bytes' }
  if (request.method === 'HEAD') {
    const size = await keptFiles.sizeOf(output, path).catch(away)
    if (size === undefined) throw new Refusal('NOT_FOUND')
    // An empty stream: for no body at all, the length would be set to 0.
    return reply.headers({ ...headers, 'content-length': size }).send(Readable.from([]))
  }
  const found = await keptFiles.read(output, path, request.headers.range).catch(away)
  if (!found) throw new Refusal('NOT_FOUND')
  if ('unsatisfiable' in found) {
    void reply.header('content-range', `bytes */${found.unsatisfiable}`)
    throw new Refusal('RANGE_NOT_SATISFIABLE')
  }
  const { body, length, part } = found
  if (part) void reply.code(206).header('content-range', `bytes ${part.from}-${part.to}/${part.of}`)
  return reply.headers({ ...headers, 'content-length': length }).send(body)
}

/** @throws {Refusal} STORE_UNAVAILABLE if the store of files or the node with the file cannot be read, which is logged; any other error as it is */
export function refuseWithoutStore(
  error: unknown,
  { log, outputId }: Pick<HttpContext, 'log'> & { outputId: string },
): never {
  if (!(error instanceof FileStoreError)) throw error
  const isAway = error instanceof NodeAwayError
  log.warn({ err: error, outputId }, `failed to read from ${isAway ? 'another node' : 'the store of files'}`)
  const message = isAway ? error.message : 'The store of files cannot be read now; try again.'
  throw new Refusal('STORE_UNAVAILABLE', { message })
}

function headersOf(path: string, type: string) {
  return {
    'content-type': type,
    'content-disposition': `inline; filename*=UTF-8''${encodeURIComponent(basename(path))}`,
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': GROWING.has(extname(path)) ? 'no-cache' : 'private, max-age=3600',
  }
}

/** No part of the path leads out, or to a file that is not for giving out. */
function isInside(path: string): boolean {
  return path.split('/').every((part) => part !== '' && !part.startsWith('.'))
}

function isSame(given: string, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)]
  return a.length === b.length && timingSafeEqual(a, b)
}
