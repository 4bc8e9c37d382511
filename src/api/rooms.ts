/** Meetings over REST, in both generations of the contract (rest-and-tokens §2, §3.1, §3.2). */
import type { FastifyRequest } from 'fastify'
import type { MeetingRecord, MeetingSettings } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { Routes } from './context.ts'
import { Refusal } from '../protocol/errors.ts'
import { meetingIdPattern } from '../protocol/ids.ts'
import { CreateMeetingBody, PageQuery, PrebuiltTokenBody, RoomIdBody } from '../protocol/rest.ts'
import { assertMayUseRest, mintToken } from '../token/token.ts'
import { grantOf } from './context.ts'
import { isAtThisMachine } from './guard.ts'
import { baseUrlOf } from './base-url.ts'
import { shape, withTypesOf } from './shapes.ts'

/** Minutes (design, decision 11). */
const DEFAULT_AUTO_CLOSE_MINUTES = 480
const meetingId = new RegExp(meetingIdPattern)
/** What can be an id at all: a meeting id, a custom id, or 24 hex digits. */
const ANY_ID = /^\S(.{0,126}\S)?$/

const createBody = shape(CreateMeetingBody, 'body')
const pageQuery = shape(PageQuery, 'query')
const roomIdBody = shape(RoomIdBody, 'body')
const prebuiltBody = shape(PrebuiltTokenBody, 'body')

type Params = FastifyRequest & { params: { id: string } }

export const roomRoutes: Routes = (app, context) => {
  const { catalogue, live } = context

  const create = async (request: FastifyRequest, customIdFromPath?: string): Promise<MeetingRecord> => {
    const grant = grantOf(request, context)
    // A token for one meeting makes no other, and is refused for a call about none.
    assertMayUseRest(grant)
    const { customRoomId, userMeetingId, ...body } = createBody(request.body ?? {})
    const customId = customIdFromPath ?? customRoomId ?? userMeetingId
    return catalogue.create(grant.projectId, {
      ...(customId !== undefined && { customId }),
      settings: settingsOf(body),
    })
  }

  const find = async (grant: Grant, anyId: string): Promise<MeetingRecord> => {
    const found = ANY_ID.test(anyId) ? await catalogue.find(grant.projectId, anyId) : undefined
    assertMayUseRest(grant, { roomId: found ? idsOf(found) : anyId })
    if (!found) throw new Refusal('INVALID_MEETING_ID', { message: 'Room not found.' })
    return found
  }

  const validate = async (request: FastifyRequest): Promise<MeetingRecord> => {
    const anyId = (request as Params).params.id
    const grant = grantOf(request, context)
    try {
      const meeting = await find(grant, anyId)
      if (meeting.disabledAt !== null) throw new Refusal('MEETING_ID_DISABLED')
      return meeting
    } catch (error) {
      if (error instanceof Refusal && error.code === 'INVALID_MEETING_ID') {
        // 400 and these texts are what published clients look for (contract §1.4).
        const malformed = !meetingId.test(anyId) && /^[a-z0-9]+(-[a-z0-9]+){2}$/.test(anyId)
        throw new RoomRefusal(malformed || !ANY_ID.test(anyId) ? 'RoomId is invalid.' : 'Room not found.')
      }
      throw error
    }
  }

  const answer = (request: FastifyRequest, meeting: MeetingRecord) =>
    toRoom(meeting, baseUrlOf(request, context.settings))

  for (const path of ['/create-meeting', '/create-room', '/v2/rooms', '/api/meetings', '/v1/meetings']) {
    app.post(path, async (request) => answer(request, await create(request)))
  }
  for (const path of ['/validate-meeting/:id', '/validate-room/:id', '/v2/rooms/validate/:id']) {
    app.get(path, async (request) => answer(request, await validate(request)))
    app.post(path, async (request) => answer(request, await validate(request)))
  }
  for (const path of ['/api/meetings/:id', '/v1/meetings/:id']) {
    app.post(path, async (request) => answer(request, await validate(request)))
  }
  for (const path of ['/v2/rooms/:id', '/v1/meetings/:id', '/api/meetings/:id']) {
    app.get(path, async (request) => {
      const meeting = await find(grantOf(request, context), (request as Params).params.id)
      const { userId, ...room } = answer(request, meeting)
      return { ...room, user: { id: userId, name: '', email: '' } }
    })
  }
  for (const path of ['/v2/rooms', '/v1/meetings', '/api/meetings']) {
    app.get(path, async (request) => {
      const grant = grantOf(request, context)
      assertMayUseRest(grant)
      const { page, perPage, query } = pageQuery(withTypesOf(PageQuery, request.query))
      const { items, total } = await catalogue.list(grant.projectId, { page, perPage }, query)
      return {
        pageInfo: { currentPage: page, perPage, lastPage: Math.max(1, Math.ceil(total / perPage)), total },
        data: items.map((meeting) => answer(request, meeting)),
      }
    })
  }

  app.post('/v2/rooms/deactivate', async (request) => {
    const grant = grantOf(request, context)
    const { roomId } = roomIdBody(request.body ?? {})
    const meeting = await find(grant, roomId)
    // The canonical id alone, as upstream has it: a custom id is "not found", by its odd status.
    if (meeting.meetingId !== roomId) throw new RoomRefusal('Room not found.', 402)
    const disabled = (await catalogue.disable(grant.projectId, roomId)) ?? meeting
    await live.endSession(roomId, 'ROOM_CLOSE')
    return answer(request, disabled)
  })

  app.post('/v2/sessions/end', async (request) => {
    const grant = grantOf(request, context)
    const body = (request.body ?? {}) as {
      roomId?: unknown
      customRoomId?: unknown
      meetingId?: unknown
      ignoreClosed?: unknown
    }
    const anyId = body.roomId ?? body.customRoomId ?? body.meetingId
    if (typeof anyId !== 'string')
      throw new Refusal('INVALID_REQUEST', { message: 'roomId must be the id of a meeting.' })
    const meeting = await find(grant, anyId)
    const session = await context.store.sessions.ongoing(meeting.meetingId)
    const ended = await live.endSession(meeting.meetingId, 'MEETING_END_API')
    if (!ended && body.ignoreClosed !== true)
      throw new Refusal('NOT_FOUND', { message: 'No session goes on in this meeting.' })
    const record = session && (await context.store.sessions.get(session.sessionId))
    return {
      id: record?.sessionId,
      roomId: meeting.meetingId,
      meetingId: meeting.meetingId,
      start: record && new Date(record.startedAt).toISOString(),
      end: record?.endedAt ? new Date(record.endedAt).toISOString() : null,
      status: record?.endedAt === null ? 'ongoing' : 'ended',
    }
  })

  app.post('/v1/prebuilt/token', (request) => {
    const { apiKey, permissions = ['allow_join'] } = prebuiltBody(request.body ?? {})
    // An API key alone is public: whoever shows nothing else gets a token only where everybody does.
    if (!context.settings.openGetToken && !isAtThisMachine(request, context.settings.host)) {
      throw new Refusal('UNAUTHORIZED_REQUEST', {
        message: 'This server gives no token for an API key alone; have your backend mint it.',
      })
    }
    const key = context.keys.find(apiKey)
    if (!key) throw new Refusal('INVALID_API_KEY')
    if (key.revoked) throw new Refusal('APIKEY_DEACTIVATED')
    const asked = permissions.includes('ask_join') ? ['ask_join'] : permissions
    return { token: mintToken({ apiKey, secret: key.secret, now: context.now(), permissions: asked }) }
  })
  app.post('/v1/prebuilt/meetings/:id', async (request) => {
    const { id } = (request as Params).params
    const grant = grantOf(request, context)
    const there = ANY_ID.test(id) ? await catalogue.find(grant.projectId, id) : undefined
    if (there) return answer(request, await find(grant, id))
    if (!ANY_ID.test(id))
      throw new Refusal('INVALID_REQUEST', { message: 'A meeting id is 1 to 128 characters long.' })
    return answer(request, await create(request, id))
  })
}

/** Registers what is known under `/v2` a second time under `/v2/v2`, where two published conventions put it together. */
export function withDoubledPrefix(url: string): string {
  return url.startsWith('/v2/v2/') ? url.slice(3) : url
}

/** A refusal with a status and text of its own, where published clients look for exactly these. */
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

function idsOf({ meetingId, customId }: MeetingRecord): string[] {
  return customId === null ? [meetingId] : [meetingId, customId]
}

function settingsOf(body: Omit<CreateMeetingBody, 'customRoomId' | 'userMeetingId'>): MeetingSettings {
  const { webhook, autoCloseConfig, autoStartConfig, multiComposition, geoFence, allowedParticipantIds } =
    body
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
  }
}

/** A meeting under the names of both generations. */
function toRoom(meeting: MeetingRecord, baseUrl: string) {
  const { id, customId, projectId, disabledAt, settings } = meeting
  return {
    roomId: meeting.meetingId,
    meetingId: meeting.meetingId,
    ...(customId !== null && { customRoomId: customId, userMeetingId: customId }),
    userId: projectId,
    disabled: disabledAt !== null,
    ...settings,
    createdAt: new Date(meeting.createdAt).toISOString(),
    updatedAt: new Date(meeting.updatedAt).toISOString(),
    id,
    links: {
      get_room: `${baseUrl}/v2/rooms/${meeting.meetingId}`,
      get_session: `${baseUrl}/v2/sessions/?roomId=${meeting.meetingId}`,
    },
  }
}
