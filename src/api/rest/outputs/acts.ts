/** What the routes of all outputs have in common: starting, stopping, listing, finding and deleting. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { JobRecord, OutputKind, OutputRecord, PageOf } from '../../../store/store.ts'
import type { OutputOrdered } from '../../../meeting/outputs/orders.ts'
import type { HttpContext } from '../../context.ts'
import { filesOfJob } from '../../../meeting/outputs/kept-files.ts'
import { outputKinds } from '../../../meeting/outputs/kinds.ts'
import { Refusal, type ErrorName } from '../../../protocol/errors.ts'
import { grantFor, meetingFor, meetingIfAny } from '../authorise.ts'

/** The refusals of a route that starts or stops an output of this kind. */
export function refusalsOf(kind: OutputKind): ErrorName[] {
  const { startFailed, stopFailed, processing } = outputKinds[kind]
  const all: ErrorName[] = [startFailed, stopFailed, processing, 'ADD_ON_SERVICES_DISABLED', 'NOT_FOUND']
  const limits: Partial<Record<OutputKind, ErrorName>> = {
    recording: 'RECORDING_LIMIT',
    hls: 'HLS_LIMIT',
    livestream: 'LIVESTREAM_LIMIT',
  }
  const limit = limits[kind]
  return [...new Set(limit === undefined ? all : [...all, limit])]
}

/** Answers with a bare text, as published clients read it. */
export function acknowledge(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(text))
}

/** The key of the token of a call; null for an operator. */
export const apiKeyOf = (request: FastifyRequest): string | null => grantFor(request).apiKey || null

export async function startOutput(
  request: FastifyRequest,
  { meetings }: HttpContext,
  order: OutputOrdered,
): Promise<OutputRecord> {
  const { output, afterReply } = await meetings.startOutput(meetingFor(request).meetingId, {
    ...order,
    apiKey: apiKeyOf(request),
  })
  setImmediate(afterReply)
  return output
}

export async function stopOutput(
  request: FastifyRequest,
  { meetings }: HttpContext,
  kind: OutputKind,
  matches?: (output: OutputRecord) => boolean,
): Promise<OutputRecord> {
  const { output, afterReply } = await meetings.stopOutput(meetingFor(request).meetingId, kind, matches)
  setImmediate(afterReply)
  return output
}

export interface ListQuery {
  page: number
  perPage: number
  roomId?: string | undefined
  sessionId?: string | undefined
  query?: string | undefined
  participantId?: string | undefined
  kind?: string | undefined
}

export const namedIn = ({ roomId, query }: Pick<ListQuery, 'roomId' | 'query'>): string | undefined =>
  roomId ?? query

/** A page of outputs of a kind, newest first. A meeting of another project, or none, gives an empty page. */
export async function listOutputs(
  request: FastifyRequest,
  { store }: HttpContext,
  kind: OutputKind,
  query: ListQuery,
): Promise<PageOf<OutputRecord>> {
  const meeting = meetingIfAny(request)
  if (!meeting && namedIn(query) !== undefined) return { items: [], total: 0 }
  const { page, perPage, sessionId, participantId, kind: trackKind } = query
  return store.outputs.list(
    grantFor(request).projectId,
    { kind, meetingId: meeting?.meetingId, sessionId, participantId, trackKind },
    { page, perPage },
  )
}

/** What makes, or made, the text of an output; undefined if none was asked for. */
export async function textOf(
  { projectId, outputId, config }: OutputRecord,
  { store }: HttpContext,
): Promise<JobRecord | undefined> {
  if (config.transcription === undefined) return undefined
  const filter = { kinds: ['post-transcription'], outputId } as const
  return (await store.jobs.list(projectId, filter, { page: 1, perPage: 1 })).items[0]
}

/** @throws {Refusal} INVALID_STATE while it goes on */
export async function deleteOutput(output: OutputRecord, context: HttpContext): Promise<void> {
  if (output.endedAt === null)
    throw new Refusal('INVALID_STATE', { message: 'It goes on still; stop it first.' })
  const text = await textOf(output, context)
  if (text) {
    if (text.endedAt === null) await context.jobs.cancel(text.jobId).catch(() => undefined)
    await context.keptFiles.drop(filesOfJob(text))
  }
  await context.keptFiles.drop(output)
}
