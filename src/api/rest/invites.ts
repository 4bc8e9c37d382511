/** Routes for the page, beyond the contract: start a meeting, invite, and exchange an invite for a token. */
import type { preValidationHookHandler } from 'fastify'
import { Type } from 'typebox'
import type { InviteRecord } from '../../store/store.ts'
import type { Routes } from '../context.ts'
import { Refusal } from '../../protocol/errors.ts'
import { pageInfoOf, RoomId } from '../../protocol/rest.ts'
import {
  CodeBody,
  CreateInviteBody,
  InvitedPass,
  InviteList,
  InviteRevoked,
  InvitesQuery,
  NewInvite,
  Pass,
  StartBody,
} from '../../protocol/rest/invites.ts'
import { jtiOfInvited } from '../../project/invites.ts'
import { mintToken } from '../../token/token.ts'
import { Attempts } from '../limits/attempts.ts'
import { grantFor, meetingFor } from './authorise.ts'
import { baseUrlOf } from '../http/base-url.ts'
import { describe } from './describe.ts'
import { jtiFor } from './admin/operators.ts'

/** A joiner uses its token at once, and again if its connection is lost. */
const INVITED_TTL_SECONDS = 12 * 3600
const STARTER_TTL_SECONDS = 24 * 3600
/** Guesses per address. A code has 144 bits, so this limits noise rather than successful guesses. */
const EXCHANGES = { perSecond: 2, burst: 30 }

const tag = 'Invites'

export const inviteRoutes: Routes = (app, context) => {
  const { settings, catalogue, invites, keys, admin, owner, gate, now } = context
  const attempts = new Attempts({ each: EXCHANGES, now })

  const limited: preValidationHookHandler = (request, _reply, done) => {
    done(attempts.take(gate.callerOf(request.raw)) ? undefined : attempts.refusal())
  }

  app.post(
    '/v2/invites',
    describe({
      summary: 'Create an invite for a meeting',
      audit: { action: 'invite.create', subject: (_, { inviteId }) => inviteId },
      tag,
      access: 'token',
      action: 'invite',
      description:
        'Its holder gets no more than its maker has; one who asks invites nobody. It ends with the key and the token that made it. Whoever came by an invite makes others within what is left of that one: until it expires or is revoked, and with the uses that it has left.',
      body: CreateInviteBody,
      answer: NewInvite,
      refusals: ['RATE_LIMITED', 'INVALID_STATE'],
      about: { meeting: ({ body }) => body.roomId },
    }),
    async (request) => {
      const { entry, expiresInSeconds, maxUses } = request.body
      const meeting = meetingFor(request)
      if (meeting.settings.breakoutOf)
        throw new Refusal('INVALID_STATE', {
          message: 'Invite people to the meeting, not to one of its breakout rooms.',
        })
      const { code, invite } = await invites.create({
        maker: grantFor(request),
        meetingId: meeting.meetingId,
        entry,
        expiresInSeconds,
        maxUses: maxUses ?? null,
      })
      return {
        ...shown(invite),
        code,
        link: `${baseUrlOf(request, settings)}/m/${meeting.meetingId}#invite=${code}`,
      }
    },
  )

  app.get(
    '/v2/invites',
    describe({
      summary: 'List the invites of a meeting, newest first',
      tag,
      access: 'token',
      action: 'invite',
      query: InvitesQuery,
      answer: InviteList,
      about: { meeting: ({ query }) => query.roomId },
    }),
    async (request) => {
      const { page, perPage } = request.query
      const { items, total } = await invites.list(meetingFor(request).meetingId, { page, perPage })
      return { pageInfo: pageInfoOf(page, perPage, total), data: items.map(shown) }
    },
  )

  app.post(
    '/v2/invites/:inviteId/revoke',
    describe({
      summary: 'Revoke an invite',
      audit: { action: 'invite.revoke', tokens: true },
      description: 'Revoking an invite of another token needs `allow_mod`, whatever `MODERATION` says.',
      tag,
      access: 'token',
      action: 'invite',
      params: Type.Object({ inviteId: Type.String() }),
      body: Type.Object({ roomId: RoomId }),
      answer: InviteRevoked,
      refusals: ['NOT_FOUND'],
      about: { meeting: ({ body }) => body.roomId },
    }),
    async (request) => {
      const { inviteId } = request.params
      const { meetingId } = meetingFor(request)
      if (!(await invites.revoke(grantFor(request), meetingId, inviteId))) throw new Refusal('NOT_FOUND')
      return { inviteId, revoked: true }
    },
  )

  app.post(
    '/invites/exchange',
    {
      ...describe({
        summary: 'Exchange an invite code for a token',
        audit: null,
        tag,
        access: 'open',
        body: CodeBody,
        answer: InvitedPass,
        refusals: ['NOT_FOUND', 'MEETING_ID_DISABLED', 'RATE_LIMITED'],
      }),
      preValidation: limited,
    },
    async (request) => {
      const { code } = request.body
      const { invite, key } = await invites.exchange(code)
      const meeting = await context.store.meetings.get(invite.meetingId)
      if (!meeting) throw new Refusal('NOT_FOUND', { message: 'Room not found.' })
      if (meeting.disabledAt !== null) throw new Refusal('MEETING_ID_DISABLED')
      return {
        token: mintToken({
          apiKey: key.apiKey,
          secret: key.secret,
          now: now(),
          permissions: [invite.entry === 'ask' ? 'ask_join' : 'allow_join'],
          roomId: invite.meetingId,
          roles: ['rtc'],
          version: 2,
          expiresInSeconds: INVITED_TTL_SECONDS,
          jti: jtiOfInvited(invite.inviteId, context.newId()),
        }),
        meetingId: invite.meetingId,
        entry: invite.entry,
      }
    },
  )

  app.post(
    '/page/start',
    describe({
      summary: 'Start a meeting from the page; returns a moderator’s token',
      audit: null,
      description: 'A sign-in needs the role `operator`.',
      tag: 'Page',
      access: 'page',
      body: StartBody,
      answer: Pass,
    }),
    async (request) => {
      const by = owner.isHere(request, 'own') ? undefined : await admin.authorise(request, 'operator')
      const key = keys.defaultKey()
      if (!key) throw new Refusal('UNAUTHORIZED', { message: 'This server has no active API key.' })
      const { encryption } = request.body
      const settings = { knock: true, ...(encryption === 'required' && { encryption }) }
      const meeting = await catalogue.create(key.projectId, { settings })
      return {
        token: mintToken({
          apiKey: key.apiKey,
          secret: key.secret,
          now: now(),
          permissions: ['allow_join', 'allow_mod'],
          roomId: meeting.meetingId,
          roles: ['rtc'],
          version: 2,
          expiresInSeconds: STARTER_TTL_SECONDS,
          jti: by && jtiFor(by, context.newId()),
        }),
        meetingId: meeting.meetingId,
      }
    },
  )
}

function shown({ inviteId, meetingId, entry, createdAt, expiresAt, maxUses, uses, revokedAt }: InviteRecord) {
  return { inviteId, meetingId, entry, createdAt, expiresAt, maxUses, uses, revoked: revokedAt !== null }
}
