/** What belongs to the caller's project and is within its token's scope; anything else is not found or refused. */
import type { FastifyRequest } from 'fastify'
import type { Action } from '../meeting/permissions.ts'
import type { MeetingRecord, SessionRecord } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { HttpContext } from './context.ts'
import { canFromOutside } from '../meeting/permissions.ts'
import { Refusal } from '../protocol/errors.ts'
import { assertMayUseRest } from '../token/token.ts'
import { grantOf } from './context.ts'

/** What can be an id at all: a meeting id, a custom id, or 24 hex digits. */
export const ANY_ID = /^\S(.{0,126}\S)?$/

export function idsOf({ meetingId, customId }: MeetingRecord): string[] {
  return customId === null ? [meetingId] : [meetingId, customId]
}

/** @throws {Refusal} INVALID_MEETING_ID where the project has none such, or that the token is for another */
export async function ownMeeting(
  grant: Grant,
  { catalogue }: Pick<HttpContext, 'catalogue'>,
  anyId: string,
): Promise<MeetingRecord> {
  const found = ANY_ID.test(anyId) ? await catalogue.find(grant.projectId, anyId) : undefined
  assertMayUseRest(grant, { roomId: found ? idsOf(found) : anyId })
  if (!found) throw new Refusal('INVALID_MEETING_ID', { message: 'Room not found.' })
  return found
}

/** @throws {Refusal} NOT_FOUND where the project has none such, or that the token is for another meeting */
export async function ownSession(
  grant: Grant,
  { store, catalogue }: Pick<HttpContext, 'store' | 'catalogue'>,
  sessionId: string,
): Promise<{ session: SessionRecord; meeting: MeetingRecord }> {
  const session = await store.sessions.get(sessionId)
  const meeting =
    session?.projectId === grant.projectId
      ? await catalogue.find(grant.projectId, session.meetingId)
      : undefined
  assertMayUseRest(grant, grant.roomId === undefined ? {} : { roomId: meeting ? idsOf(meeting) : sessionId })
  if (!session || !meeting) throw new Refusal('NOT_FOUND', { message: 'Session not found.' })
  return { session, meeting }
}

/** The grant of a request that may do this to a meeting from outside. @throws {Refusal} INVALID_PERMISSIONS */
export function grantFor(request: FastifyRequest, context: HttpContext, action: Action): Grant {
  const grant = grantOf(request, context)
  if (grant.roles && !grant.roles.includes('crawler')) throw new Refusal('UNAUTHORIZED_ROLE')
  if (!canFromOutside(grant, action, context.settings.moderation)) throw new Refusal('INVALID_PERMISSIONS')
  return grant
}
