/**
 * Writes the audit log from the descriptions of routes: who called what, and what it was about. An entry is written after the handler and
 * before the answer, so that what was acknowledged is in the log.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { NewAuditEntry, OperatorRecord } from '../../store/store.ts'
import type { HttpContext } from '../context.ts'
import type { Audit } from './audit.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the handler answered. */
    answered: unknown
    /** Why a call was refused that was not answered as one. */
    refusedFor: string | null
    /** Whether the call used up one of the caller's tries to sign in, which are limited. */
    isTry: boolean
    /** As whom somebody tried to sign in, if there is such an operator. */
    triedAs: OperatorRecord | null
  }
}

/** Refusals that say something about the caller, and not about the call. */
const KEPT_REFUSALS = new Set([401, 403])

/** Adds the hooks that write the log. */
export function auditCalls(app: FastifyInstance, context: HttpContext): void {
  app.decorateRequest('answered', null)
  app.decorateRequest('isTry', false)
  app.decorateRequest('triedAs', null)
  app.decorateRequest('refusedFor', null)
  app.addHook('preSerialization', (request, _reply, payload, done) => {
    request.answered = payload
    done(null, payload)
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const entry = entryOf(request, reply, context)
    if (!entry) done(null, payload)
    else
      context.store.audit.add(entry).then(
        () => done(null, payload),
        // Not acknowledged: a caller who gets an answer can rely on the log.
        (error: unknown) => done(error as Error),
      )
  })
}

function entryOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { gate, now }: HttpContext,
): NewAuditEntry | undefined {
  const { audit } = request.routeOptions.config
  if (!audit) return undefined
  const { refusedFor } = request
  const isRefused = reply.statusCode >= 400 || refusedFor !== null
  if (isRefused && refusedFor === null && !(audit.refusals && KEPT_REFUSALS.has(reply.statusCode)))
    return undefined
  // Anybody can be refused, as often as they like: what is kept of it must be limited.
  if (isRefused && !request.operator && !request.isTry) return undefined
  const actor = actorOf(request, audit, isRefused)
  if (!actor) return undefined
  const asked = { params: request.params, query: request.query, body: request.body }
  const found = request.authorised
  const params = request.params as Record<string, string>
  const refusal = isRefused ? (request.answered as { code?: string | number } | null) : null
  return {
    at: now(),
    ...actor,
    action: audit.action,
    outcome: isRefused ? 'refused' : 'done',
    code: refusedFor ?? (refusal?.code === undefined ? null : String(refusal.code)),
    projectId: found?.grant.projectId ?? params.projectId ?? null,
    meetingId: found?.meeting?.meetingId ?? null,
    subject:
      (isRefused
        ? request.triedAs?.operatorId
        : (audit.subject?.(asked, request.answered) ?? foundId(request) ?? Object.values(params).at(-1))) ??
      null,
    facts: isRefused ? {} : (audit.facts?.(asked, request.answered) ?? {}),
    address: gate.callerOf(request.raw),
    requestId: request.id,
  }
}

/** The id of what the authorisation of a token found. */
function foundId({ authorised }: FastifyRequest): string | undefined {
  const { output, job, session, meeting } = authorised ?? {}
  return output?.outputId ?? job?.jobId ?? session?.sessionId ?? meeting?.meetingId
}

type Actor = Pick<NewAuditEntry, 'actor' | 'actorId' | 'actorName' | 'role'>

function actorOf(request: FastifyRequest, audit: Audit, isRefused: boolean): Actor | undefined {
  const { operator, authorised, triedAs } = request
  if (operator?.by === 'key')
    return { actor: 'admin-key', actorId: null, actorName: null, role: operator.role }
  if (operator) {
    const { operatorId, name, role } = operator.operator
    return { actor: 'operator', actorId: operatorId, actorName: name, role }
  }
  if (authorised)
    return audit.tokens
      ? { actor: 'token', actorId: authorised.grant.apiKey, actorName: authorised.grant.tokenId, role: null }
      : undefined
  // A first step that let nobody in is no deed.
  if (!isRefused && !triedAs) return undefined
  return { actor: 'nobody', actorId: null, actorName: triedAs?.name ?? null, role: null }
}
