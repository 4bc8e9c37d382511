/** Meetings over REST (contract, rest-and-tokens §2, §3.1, §3.2). */
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { MeetingRecord, MeetingSettings } from '../../store/store.ts'
import type { Grant } from '../../token/token.ts'
import type { Routes } from '../context.ts'
import { Refusal } from '../../protocol/errors.ts'
import { isRoomId, meetingIdPattern } from '../../protocol/ids.ts'
import { pageInfoOf, PageQuery, RoomIdBody } from '../../protocol/rest.ts'
import { CreateMeetingBody, Room, RoomPage, RoomWithOwner } from '../../protocol/rest/rooms.ts'
import { PrebuiltTokenBody, TokenAnswer } from '../../protocol/rest/tokens.ts'
import { mintToken } from '../../token/token.ts'
import { autoStartOrders } from '../../meeting/outputs/auto-start.ts'
import { grantFor, meetingFor, meetingIfAny } from './authorise.ts'
import { assertOrigin } from '../context.ts'
import { baseUrlOf } from '../http/base-url.ts'
import { describe } from './describe.ts'
import { assertWebhook } from './webhooks.ts'

/** The default duration (docs/decisions/0011). */
const DEFAULT_AUTO_CLOSE_MINUTES = 480
const meetingId = new RegExp(meetingIdPattern)

const tag = 'Rooms'
const sample = 'Token server'
/** The schema does not check the id: published clients depend on the texts and statuses of the rule that does. */
const AnyIdParams = Type.Object({ id: Type.String({ description: 'A `roomId` or a custom id.' }) })

/** The field in which the published samples send the token; `Authorization` works as well. */
const withToken = {
  token: Type.Optional(Type.Unknown({ description: 'The token, here or in `Authorization`.' })),
}
const TokenBody = Type.Object(withToken)
const CreateWithTokenBody = Type.Object({ ...withToken, ...CreateMeetingBody.properties })

export const roomRoutes: Routes = (app, context) => {
  const { catalogue, meetings } = context

  const create = async (
    grant: Grant,
    { customRoomId, userMeetingId, ...body }: CreateMeetingBody,
    customIdFromPath?: string,
  ): Promise<MeetingRecord> => {
    assertWebhook(body.webhook, context.settings)
    if (customRoomId !== undefined && userMeetingId !== undefined && customRoomId !== userMeetingId)
      throw new Refusal('INVALID_REQUEST', {
        message: 'customRoomId and userMeetingId name different meetings.',
      })
    const customId = customIdFromPath ?? customRoomId ?? userMeetingId
    return catalogue.create(grant.projectId, {
      ...(customId !== undefined && { customId }),
      settings: settingsOf(body),
    })
  }

  /** The meeting of a call that checks whether it can be joined. */
  const validated = (request: FastifyRequest): MeetingRecord => {
    const meeting = meetingFor(request)
    if (meeting.disabledAt !== null) throw new Refusal('MEETING_ID_DISABLED')
    return meeting
  }

  const answer = (request: FastifyRequest, meeting: MeetingRecord) =>
    toRoom(meeting, baseUrlOf(request, context.settings))

  const creating = {
    summary: 'Create a meeting, or get the one with this custom id',
    audit: { action: 'meeting.create', subject: (_: unknown, { roomId }: { roomId: string }) => roomId },
    access: 'token',
    action: 'create',
    about: 'project',
    answer: Room,
  } as const
  const validating = {
    summary: 'Check that a meeting exists and is not deactivated',
    audit: null,
    access: 'token',
    action: 'find',
    about: {
      meeting: ({ params }: { params: { id: string } }) => params.id,
      // Published clients look for 400 and these texts (contract §1.4).
      missing: (anyId: string) => {
        const malformed = !meetingId.test(anyId) && /^[a-z0-9]+(-[a-z0-9]+){2}$/.test(anyId)
        return new RoomRefusal(malformed || !isRoomId(anyId) ? 'RoomId is invalid.' : 'Room not found.')
      },
    },
    params: AnyIdParams,
    answer: Room,
    refusals: [{ code: 'INVALID_MEETING_ID', status: 400 }, 'MEETING_ID_DISABLED'],
  } as const

  for (const [path, options] of [
    ['/v2/rooms', describe({ ...creating, tag, body: CreateMeetingBody })],
    ['/create-meeting', describe({ ...creating, tag: sample, body: CreateWithTokenBody })],
    ['/create-room', describe({ ...creating, tag: sample, body: CreateWithTokenBody })],
  ] as const) {
    app.post(path, options, async (request) => answer(request, await create(grantFor(request), request.body)))
  }
  for (const path of ['/validate-meeting/:id', '/validate-room/:id']) {
    app.get(path, describe({ ...validating, tag: sample }), (request) => answer(request, validated(request)))
    app.post(path, describe({ ...validating, tag: sample, body: TokenBody }), (request) =>
      answer(request, validated(request)),
    )
  }
  for (const method of ['GET', 'POST'] as const) {
    app.route({
      method,
      url: '/v2/rooms/validate/:id',
      ...describe({ ...validating, tag, deprecated: method === 'POST' }),
      handler: (request) => answer(request, validated(request)),
    })
  }
  app.get(
    '/v2/rooms/:id',
    describe({
      summary: 'Get a meeting',
      tag,
      access: 'token',
      action: 'find',
      about: { meeting: ({ params }) => params.id },
      params: AnyIdParams,
      answer: RoomWithOwner,
    }),
    (request) => {
      const { userId, ...room } = answer(request, meetingFor(request))
      return { ...room, user: { id: userId, name: '', email: '' } }
    },
  )
  app.get(
    '/v2/rooms',
    describe({
      summary: 'List the meetings of a project, newest first',
      tag,
      access: 'token',
      action: 'list',
      about: 'project',
      query: PageQuery,
      answer: RoomPage,
    }),
    async (request) => {
      const grant = grantFor(request)
      const { page, perPage, query } = request.query
      const { items, total } = await catalogue.list(grant.projectId, { page, perPage }, query)
      return {
        pageInfo: pageInfoOf(page, perPage, total),
        data: items.map((meeting) => answer(request, meeting)),
      }
    },
  )

  app.post(
    '/v2/rooms/deactivate',
    describe({
      summary: 'Deactivate a meeting permanently, and end its session',
      audit: { action: 'meeting.deactivate', tokens: true },
      tag,
      access: 'token',
      action: 'deactivate',
      about: { meeting: ({ body }) => body.roomId },
      description: 'Accepts only the `roomId`; a custom id is "not found", with a status of its own.',
      body: RoomIdBody,
      answer: Room,
      refusals: [{ code: 'INVALID_MEETING_ID', status: 402 }],
    }),
    async (request) => {
      const { roomId } = request.body
      const meeting = meetingFor(request)
      // As upstream, accepts only the meeting's own id: a custom id is "not found", with this unusual status.
      if (meeting.meetingId !== roomId) throw new RoomRefusal('Room not found.', 402)
      const disabled = (await catalogue.disable(meeting.projectId, roomId)) ?? meeting
      await meetings.deactivate(disabled)
      return answer(request, disabled)
    },
  )

  app.post(
    '/v1/prebuilt/token',
    describe({
      summary: 'Get a token for an API key without its secret, as the prebuilt page does',
      audit: null,
      tag: 'Tokens',
      access: 'open',
      description: 'Only at the server’s own machine, or if the server gives tokens to everybody.',
      body: PrebuiltTokenBody,
      answer: TokenAnswer,
      refusals: ['UNAUTHORIZED_REQUEST', 'INVALID_API_KEY', 'APIKEY_DEACTIVATED'],
    }),
    (request) => {
      const { apiKey, permissions = ['allow_join'] } = request.body
      // An API key alone is public. With nothing else, a caller gets a token only if everybody does.
      if (!context.settings.openGetToken && !context.owner.isHere(request, 'ofThisMachine')) {
        throw new Refusal('UNAUTHORIZED_REQUEST', {
          message: 'This server does not issue tokens for an API key alone; let your backend mint the token.',
        })
      }
      const key = context.keys.find(apiKey)
      if (!key) throw new Refusal('INVALID_API_KEY')
      if (key.revoked) throw new Refusal('APIKEY_DEACTIVATED')
      assertOrigin(request, key, context.settings)
      const asked = permissions.includes('ask_join') ? ['ask_join'] : permissions
      return { token: mintToken({ apiKey, secret: key.secret, now: context.now(), permissions: asked }) }
    },
  )
  app.post(
    '/v1/prebuilt/meetings/:id',
    describe({
      summary: 'Get the meeting with this id, or create it',
      audit: 'meeting.create',
      tag,
      access: 'token',
      action: 'create',
      about: { meeting: ({ params }) => params.id, missing: 'create' },
      params: AnyIdParams,
      body: CreateMeetingBody,
      answer: Room,
    }),
    async (request) => {
      const { id } = request.params
      const there = meetingIfAny(request)
      if (there) return answer(request, there)
      return answer(request, await create(grantFor(request), request.body, id))
    },
  )
}

/** A refusal with the status and text that published clients look for. */
class RoomRefusal extends Refusal {
  readonly #status: number

  constructor(message: string, status = 400) {
    super('INVALID_MEETING_ID', { message })
    this.#status = status
  }

  override get status(): number {
    return this.#status
  }
}

function settingsOf(body: Omit<CreateMeetingBody, 'customRoomId' | 'userMeetingId'>): MeetingSettings {
  const {
    webhook,
    autoCloseConfig,
    autoStartConfig,
    multiComposition,
    geoFence,
    allowedParticipantIds,
    knock,
    encryption,
  } = body
  // What would be refused with each session is refused now.
  autoStartOrders(autoStartConfig, '')
  return {
    ...(webhook && { webhook }),
    autoCloseConfig: {
      type: autoCloseConfig?.type ?? 'session-ends',
      duration: autoCloseConfig?.duration ?? DEFAULT_AUTO_CLOSE_MINUTES,
    },
    ...(autoStartConfig && { autoStartConfig }),
    ...(multiComposition && { multiComposition }),
    ...(geoFence !== undefined && { geoFence }),
    ...(allowedParticipantIds && { allowedParticipantIds }),
    ...(knock && { knock }),
    ...(encryption === 'required' && { encryption }),
  }
}

/** Presents a meeting with the field names of both generations. */
function toRoom(meeting: MeetingRecord, baseUrl: string) {
  const { id, customId, projectId, disabledAt } = meeting
  const { breakoutOf, ...settings } = meeting.settings
  return {
    roomId: meeting.meetingId,
    meetingId: meeting.meetingId,
    ...(customId !== null && { customRoomId: customId, userMeetingId: customId }),
    userId: projectId,
    disabled: disabledAt !== null,
    ...settings,
    knock: settings.knock ?? false,
    encryption: settings.encryption ?? 'optional',
    ...(breakoutOf && {
      breakoutOf: { roomId: breakoutOf.meetingId, sessionId: breakoutOf.sessionId, name: breakoutOf.name },
    }),
    createdAt: new Date(meeting.createdAt).toISOString(),
    updatedAt: new Date(meeting.updatedAt).toISOString(),
    id,
    links: {
      get_room: `${baseUrl}/v2/rooms/${meeting.meetingId}`,
      get_session: `${baseUrl}/v2/sessions/?roomId=${meeting.meetingId}`,
    },
  }
}
