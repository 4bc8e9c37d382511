/**
 * Authorises calls with tokens. Every route declares its action and what it is
 * about; the hooks of the HTTP server check both before the handler runs, so that no handler can forget it.
 */
import type { FastifyRequest } from 'fastify'
import type { OutsideAction } from '../../meeting/roster/permissions.ts'
import type {
  JobKind,
  JobRecord,
  MeetingRecord,
  OutputKind,
  OutputRecord,
  SessionRecord,
} from '../../store/store.ts'
import type { Grant } from '../../token/token.ts'
import type { OpenStream } from '../media/session.ts'
import type { About, MeetingNamed, StreamNamed } from './about.ts'
import type { HttpContext } from '../context.ts'
import { assertMayChange, meetingOfStream, noSuchStream } from '../media/sessions.ts'
import { refusalFromOutside } from '../../meeting/roster/permissions.ts'
import { idsOf } from '../../meeting/door/door.ts'
import { Removals } from '../../meeting/door/removals.ts'
import { Refusal } from '../../protocol/errors.ts'
import { roleFor } from './refused-operations.ts'
import { assertInScope, operatorTokenId } from '../../token/token.ts'
import { grantOf } from '../context.ts'

/** The result of authorisation: the grant, and what the call is about. */
export interface Authorised {
  grant: Grant
  meeting?: MeetingRecord
  session?: SessionRecord
  output?: OutputRecord
  job?: JobRecord
  stream?: OpenStream
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a route with access `token`: the grant from `preValidation` on, with the meeting from `preHandler` on. */
    authorised: Authorised | null
  }
}

/** Verifies what the token alone decides, and returns its grant. @throws {Refusal} */
export function authoriseToken(
  request: FastifyRequest,
  context: HttpContext,
  action: OutsideAction,
  about: About,
): Grant {
  const grant = grantOf(request, context)
  const refusal = refusalFromOutside(grant, action, context.settings.moderation)
  if (refusal) throw refusal
  if (about === 'project') assertInScope(grant)
  request.authorised = { grant }
  return grant
}

/** The project in which an operator acts without a token. */
const PROJECT_HEADER = 'x-anteroom-project'

/** Whether an operator calls with a sign-in instead of a token. */
export function isByOperator({ headers }: FastifyRequest): boolean {
  return !headers.authorization && headers[PROJECT_HEADER] !== undefined
}

/**
 * Gives an operator, by a sign-in, the grant of a management token of the project that the header names. It ends with the
 * sign-in, and a viewer only reads. @throws {Refusal}
 */
export async function authoriseOperator(
  request: FastifyRequest,
  context: HttpContext,
  action: OutsideAction,
): Promise<void> {
  const identity = await context.admin.authorise(
    request,
    roleFor(request.routeOptions.config, request.method)!,
  )
  if (identity.by === 'key') throw new TypeError('the admin key stands in the header of tokens')
  const projectId = String(request.headers[PROJECT_HEADER])
  const key = context.keys.defaultKey(projectId)
  if (!key)
    throw new Refusal('NOT_FOUND', { message: 'There is no such project, or it has no active API key.' })
  const grant: Grant = {
    apiKey: key.apiKey,
    projectId,
    // For the invites that the operator makes.
    entry: 'moderator',
    permissions: ['allow_join', 'allow_mod'],
    roles: ['crawler'],
    tokenId: operatorTokenId(identity.operator.grantId),
  }
  const refusal = refusalFromOutside(grant, action, context.settings.moderation)
  if (refusal) throw refusal
  request.operator = identity
  request.authorised = { grant }
}

/**
 * Finds the meeting of a call whose token was accepted, and checks that the token is in scope and was not removed from it.
 * @throws {Refusal}
 */
export async function authoriseSubject(
  request: FastifyRequest,
  context: HttpContext,
  action: OutsideAction,
  about: About,
): Promise<void> {
  const grant = grantFor(request)
  const found = about === 'project' ? {} : await locate(request, grant, context, about)
  const refusal = await refusalOfRemoved(grant, context, action, found)
  if (refusal) throw refusal
  request.authorised = { grant, ...found }
}

type Found = Omit<Authorised, 'grant'>

/** Returns the removal that keeps the token out of what the call is about, if any. */
async function refusalOfRemoved(
  grant: Grant,
  { meetings, store }: HttpContext,
  action: OutsideAction,
  { meeting, session }: Found,
): Promise<Refusal | undefined> {
  // A list of the project shows every meeting, including one from which the caller was removed.
  if (!meeting) return action === 'create' ? undefined : meetings.refusalOfRemovedAnywhere(grant)
  if (session && session.endedAt !== null) {
    const removals = new Removals(await store.sessions.removals(session.sessionId))
    if (removals.keepOut(grant)) return new Refusal('REMOVED_FROM_SESSION')
  }
  return meetings.refusalOfRemoved(meeting.meetingId, grant)
}

async function locate(
  { params, query, body }: FastifyRequest,
  grant: Grant,
  context: HttpContext,
  about: MeetingNamed,
): Promise<Found> {
  const asked = { params, query, body }
  const anyId = about.meeting?.(asked)
  if (anyId !== undefined) return locateMeeting(grant, context, anyId, about)
  const sessionId = about.session?.(asked)
  if (sessionId !== undefined) return locateSession(grant, context, sessionId)
  const deliveryId = about.delivery?.(asked)
  if (deliveryId !== undefined) return locateDelivery(grant, context, deliveryId)
  const named = about.output?.(asked)
  if (named !== undefined) return locateOutput(grant, context, named)
  const stream = about.stream?.(asked)
  if (stream !== undefined) return locateStream(grant, context, stream)
  const job = about.job?.(asked)
  if (job !== undefined) return locateJob(grant, context, job)
  if (about.unnamed !== 'project')
    throw new Refusal('INVALID_REQUEST', { message: 'Send roomId or sessionId.' })
  assertInScope(grant)
  return {}
}

async function locateMeeting(
  grant: Grant,
  { catalogue }: HttpContext,
  anyId: string,
  { missing }: MeetingNamed,
): Promise<Found> {
  const meeting = await catalogue.find(grant.projectId, anyId)
  // A token for one meeting must not create another.
  if (!meeting && missing === 'create') assertInScope(grant)
  else assertInScope(grant, { roomId: meeting ? idsOf(meeting) : anyId })
  if (meeting) return { meeting }
  if (missing === 'create' || missing === 'nothing') return {}
  throw missing?.(anyId) ?? new Refusal('INVALID_MEETING_ID', { message: 'Room not found.' })
}

async function locateSession(
  grant: Grant,
  { store, catalogue }: HttpContext,
  sessionId: string,
): Promise<Found> {
  const session = await store.sessions.get(sessionId)
  const meeting =
    session?.projectId === grant.projectId
      ? await catalogue.find(grant.projectId, session.meetingId)
      : undefined
  assertInScope(grant, { roomId: meeting ? idsOf(meeting) : sessionId })
  if (!session || !meeting) throw new Refusal('NOT_FOUND', { message: 'Session not found.' })
  return { session, meeting }
}

async function locateDelivery(grant: Grant, { store }: HttpContext, deliveryId: string): Promise<Found> {
  const delivery = await store.outbox.get(grant.projectId, deliveryId)
  const meeting = delivery && (await store.meetings.get(delivery.meetingId))
  assertInScope(grant, meeting ? { roomId: idsOf(meeting) } : {})
  if (!delivery) throw new Refusal('NOT_FOUND', { message: 'There is no delivery with this id.' })
  return meeting ? { meeting } : {}
}

async function locateOutput(
  grant: Grant,
  { store }: HttpContext,
  { kind, outputId }: { kind?: OutputKind; outputId: string },
): Promise<Found> {
  const output = await store.outputs.get(outputId)
  const isOurs = output?.projectId === grant.projectId && (kind ?? output.kind) === output.kind
  const meeting = isOurs ? await store.meetings.get(output.meetingId) : undefined
  assertInScope(grant, meeting ? { roomId: idsOf(meeting) } : {})
  if (!output || !meeting) throw new Refusal('NOT_FOUND', { message: 'There is none with this id.' })
  return { meeting, output }
}

/** An unknown one is not found, whatever the token is for: a client ends its session once more than needed. */
async function locateStream(
  grant: Grant,
  { streams, store }: HttpContext,
  { way, id, participantId }: StreamNamed,
): Promise<Found> {
  const meetingId = meetingOfStream(id) ?? (await store.sessions.get(id))?.meetingId
  const stream = meetingId && (await streams.findStream(meetingId, way, id, participantId))
  if (!stream || stream.meeting.projectId !== grant.projectId) throw noSuchStream()
  assertInScope(grant, { roomId: idsOf(stream.meeting) })
  assertMayChange(stream, grant)
  return { meeting: stream.meeting, stream }
}

async function locateJob(
  grant: Grant,
  { store }: HttpContext,
  { kinds, jobId }: { kinds: readonly JobKind[]; jobId: string },
): Promise<Found> {
  const job = await store.jobs.get(jobId)
  const isOurs = job?.projectId === grant.projectId && kinds.includes(job.kind)
  const meeting = isOurs ? await store.meetings.get(job.meetingId) : undefined
  assertInScope(grant, meeting ? { roomId: idsOf(meeting) } : {})
  if (!job || !meeting) throw new Refusal('NOT_FOUND', { message: 'There is none with this id.' })
  return { meeting, job }
}

/** What the hooks found out about a call; only for routes with a token. */
function authorised({ authorised: found }: FastifyRequest): Authorised {
  if (!found) throw new TypeError('this route does not take a token')
  return found
}

export const grantFor = (request: FastifyRequest): Grant => authorised(request).grant

/** The meeting that a call is about. */
export function meetingFor(request: FastifyRequest): MeetingRecord {
  const { meeting } = authorised(request)
  if (!meeting) throw new TypeError('this route is not about one meeting')
  return meeting
}

/** The meeting that a call is about, if any. */
export const meetingIfAny = (request: FastifyRequest): MeetingRecord | undefined =>
  authorised(request).meeting

/** The session that a call is about. */
export function sessionFor(request: FastifyRequest): SessionRecord {
  const { session } = authorised(request)
  if (!session) throw new TypeError('this route is not about one session')
  return session
}

/** The session that a call is about, if any. */
export const sessionIfAny = (request: FastifyRequest): SessionRecord | undefined =>
  authorised(request).session

/** The job that a call is about. */
export function jobFor(request: FastifyRequest): JobRecord {
  const { job } = authorised(request)
  if (!job) throw new TypeError('the route is about no job')
  return job
}

/** The WHIP or WHEP session that a call is about. */
export function streamFor(request: FastifyRequest): OpenStream {
  const { stream } = authorised(request)
  if (!stream) throw new TypeError('the route is about no stream session')
  return stream
}

/** The output that a call is about. */
export function outputFor(request: FastifyRequest): OutputRecord {
  const { output } = authorised(request)
  if (!output) throw new TypeError('the route is about no output')
  return output
}
