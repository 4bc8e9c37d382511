/** What the routes of jobs have in common: finding what a job is made of, starting and listing. */
import type { FastifyRequest } from 'fastify'
import type { HttpContext } from '../../context.ts'
import type { JobKind, JobRecord, JobState, OutputKind, OutputRecord, PageOf } from '../../../store/store.ts'
import { assertUsable } from '../../../meeting/jobs/orders.ts'
import { Refusal, type ErrorName } from '../../../protocol/errors.ts'
import { grantFor, meetingIfAny } from '../authorise.ts'

/** The refusals of a route that starts a job. */
export const jobRefusals: readonly ErrorName[] = [
  'ADD_ON_SERVICES_DISABLED',
  'INVALID_REQUEST',
  'INVALID_STATE',
  'NOT_FOUND',
  'RATE_LIMITED',
  'SERVER_STOPPING',
]

/** Recordings of the caller's project, in this order. @throws {Refusal} NOT_FOUND, INVALID_REQUEST, INVALID_STATE */
export async function recordingsOf(
  request: FastifyRequest,
  { store }: HttpContext,
  ids: readonly string[],
  kinds: readonly OutputKind[],
): Promise<OutputRecord[]> {
  if (new Set(ids).size < ids.length)
    throw new Refusal('INVALID_REQUEST', { message: 'Name each recording once.' })
  const { projectId } = grantFor(request)
  const outputs: OutputRecord[] = []
  for (const id of ids) {
    const output = await store.outputs.get(id)
    if (output?.projectId !== projectId)
      throw new Refusal('NOT_FOUND', { message: `There is no recording ${id}.` })
    assertUsable(output, kinds, outputs[0] ?? output)
    outputs.push(output)
  }
  return outputs
}

interface JobsQuery {
  page: number
  perPage: number
  roomId?: string | undefined
  sessionId?: string | undefined
  hlsId?: string | undefined
  id?: string | undefined
  status?: JobState | undefined
}

/** A page of jobs, newest first. A meeting of another project, or none, gives an empty page. */
export async function listJobs(
  request: FastifyRequest,
  { store }: HttpContext,
  kinds: readonly JobKind[],
  { page, perPage, roomId, sessionId, hlsId, id, status }: JobsQuery,
): Promise<PageOf<JobRecord>> {
  const meeting = meetingIfAny(request)
  if (!meeting && roomId !== undefined) return { items: [], total: 0 }
  return store.jobs.list(
    grantFor(request).projectId,
    { kinds, meetingId: meeting?.meetingId, sessionId, outputId: hlsId, jobId: id, state: status },
    { page, perPage },
  )
}
