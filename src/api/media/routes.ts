/** WHIP and WHEP: programs send to a meeting, and watch it, over HTTP and WebRTC alone (RFC 9725; contract, outputs §6). */
import { isUtf8 } from 'node:buffer'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { HttpContext, Routes } from '../context.ts'
import type { Grant } from '../../token/token.ts'
import { Refusal } from '../../protocol/errors.ts'
import { cleanName } from '../../protocol/ids.ts'
import {
  MeetingParams,
  Nothing,
  OwnSendQuery,
  ReceiveQuery,
  Sdp,
  SdpFragment,
  SendQuery,
  StreamSessionParams,
  StreamSessionQuery,
  WatchedParams,
} from '../../protocol/rest/streams.ts'
import { baseUrlOf } from '../http/base-url.ts'
import { grantFor, meetingFor, streamFor } from '../rest/authorise.ts'
import { describe } from '../rest/describe.ts'
import { iceServers } from '../rest/init-config.ts'
import { malformed, readOffer, type Way } from './offer.ts'
import type { Opening, OpenStream } from './session.ts'

const tag = 'WHIP and WHEP'
const BODY_LIMIT_BYTES = 64 * 1024
const SDP = 'application/sdp'
const FRAGMENT = 'application/trickle-ice-sdpfrag'
const SDP_ONLY = `The body must be ${SDP}.`

const refusals = [
  'NOT_ACCEPTABLE',
  'INVALID_STATE',
  'DUPLICATE_PARTICIPANT',
  'INVALID_PARTICIPANT_ID',
  'ENCRYPTION_REQUIRED',
  'UNAUTHORIZED_PARTCIPANT_ID',
  'MEETING_ID_DISABLED',
  'MEETING_LOCKED',
  'MAX_PARTCIPANT_REACHED',
  'MEDIA_UNAVAILABLE',
  'NOT_FOUND',
] as const
const patchRefusals = [
  'PRECONDITION_FAILED',
  'PRECONDITION_REQUIRED',
  'UNPROCESSABLE',
  'INVALID_STATE',
] as const

const sends = {
  summary: 'Send audio and video to a meeting (WHIP)',
  description:
    'The sender is a participant whom everybody sees. The offer is taken as a whole or refused with 406. `Location` is the address of the session: PATCH it to restart ICE, DELETE it to stop.',
}
const watches = {
  summary: 'Watch a participant (WHEP)',
  description:
    'The viewer is hidden and not counted. It keeps watching while the participant mutes, changes the camera or comes back. `Location` is the address of the session.',
}
const opens = {
  audit: null,
  tag,
  access: 'token',
  action: 'stream',
  refusals,
  body: Sdp,
  bodyType: SDP,
  answer: Sdp,
  answerType: SDP,
  answerStatus: 201,
} as const

interface NamesSession {
  params: { sessionId: string }
  query: { participantId?: string | undefined }
}

export const streamRoutes: Routes = (documented, context) => {
  void documented.register((app: typeof documented, _options, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
      (_request, bytes, parsed) => {
        if (isUtf8(bytes as Buffer)) parsed(null, (bytes as Buffer).toString('utf8'))
        else parsed(malformed('The body must be in UTF-8.'))
      },
    )
    const { streams, gate } = context

    const open = async (
      request: FastifyRequest,
      reply: FastifyReply,
      way: Way,
      asked: {
        participantId?: string | undefined
        displayName?: string | undefined
        remotePeerId?: string | undefined
      },
    ): Promise<FastifyReply> => {
      gate.countEntryRequest(request.raw)
      const offer = readOffer(sdpOf(request), way)
      const grant = grantFor(request)
      const participantId =
        asked.participantId || grant.participantId || `${way === 'send' ? 'whip' : 'whep'}-${context.newId()}`
      const opening: Opening = {
        meeting: meetingFor(request),
        grant,
        participantId,
        name: cleanName(asked.displayName ?? '') || participantId,
        offer,
        remotePeerId: asked.remotePeerId || undefined,
      }
      const { stream, answer } = await streams[way === 'send' ? 'openSender' : 'openViewer'](
        opening.meeting.meetingId,
        opening,
      )
      return reply
        .code(201)
        .headers({
          location: `${baseUrlOf(request, context.settings).replace(/\/$/, '')}${pathOf(stream)}`,
          etag: stream.etag,
          ...linksOf(context, stream.grant),
        })
        .type(SDP)
        .send(answer)
    }

    app.post(
      '/v2/whip',
      describe({
        ...sends,
        ...opens,
        query: SendQuery,
        about: { meeting: ({ query }: { query: { roomId: string } }) => query.roomId },
      }),
      (request, reply) => open(request, reply, 'send', request.query),
    )
    app.post(
      '/whip/:meetingId',
      describe({
        ...sends,
        ...opens,
        params: MeetingParams,
        query: OwnSendQuery,
        about: { meeting: ({ params }: { params: { meetingId: string } }) => params.meetingId },
      }),
      (request, reply) => open(request, reply, 'send', request.query),
    )
    app.post(
      '/v2/whep',
      describe({
        ...watches,
        ...opens,
        query: ReceiveQuery,
        about: { meeting: ({ query }: { query: { roomId: string } }) => query.roomId },
      }),
      (request, reply) => open(request, reply, 'receive', request.query),
    )
    app.post(
      '/whep/:meetingId/:participantId',
      describe({
        ...watches,
        ...opens,
        params: WatchedParams,
        about: { meeting: ({ params }: { params: { meetingId: string } }) => params.meetingId },
      }),
      (request, reply) => open(request, reply, 'receive', { remotePeerId: request.params.participantId }),
    )

    for (const way of ['send', 'receive'] as const) {
      const path = `/v2/${nameOf(way)}/sessions/:sessionId`
      const about = {
        stream: ({ params, query }: NamesSession) => ({
          way,
          id: params.sessionId,
          participantId: query.participantId,
        }),
      }
      const ofSession = {
        tag,
        access: 'token',
        action: 'stream',
        params: StreamSessionParams,
        query: StreamSessionQuery,
      } as const
      app.patch(
        path,
        describe({
          ...ofSession,
          audit: null,
          summary: `Restart ICE of a ${nameOf(way).toUpperCase()} session, or send candidates`,
          about,
          refusals: patchRefusals,
          body: SdpFragment,
          bodyType: FRAGMENT,
          answer: SdpFragment,
          answerType: FRAGMENT,
          otherAnswers: { 204: Type.Null({ description: 'The candidates were accepted.' }) },
        }),
        async (request, reply) => {
          if (typeOf(request) !== FRAGMENT)
            throw new Refusal('UNSUPPORTED_MEDIA_TYPE', { message: `The body must be ${FRAGMENT}.` })
          const { id, meeting } = streamFor(request)
          const { etag, answer } = await streams.patchStream(
            meeting.meetingId,
            id,
            textOf(request),
            request.headers['if-match'],
          )
          if (answer === undefined) return reply.code(204).send()
          return reply.header('etag', etag).type(FRAGMENT).send(answer)
        },
      )
      app.delete(
        path,
        describe({
          ...ofSession,
          audit: null,
          summary: `End a ${nameOf(way).toUpperCase()} session`,
          about,
          answer: Nothing,
          answerType: 'text/plain',
        }),
        async (request, reply) => {
          const { id, meeting } = streamFor(request)
          await streams.endStream(meeting.meetingId, id)
          return reply.type('text/plain').send('')
        },
      )
    }
    done()
  })
}

const nameOf = (way: Way): 'whip' | 'whep' => (way === 'send' ? 'whip' : 'whep')

const pathOf = ({ way, id }: OpenStream): string => `/v2/${nameOf(way)}/sessions/${id}`

/** The type that the client sent, in lower case without parameters; empty if it sent none. */
function typeOf({ raw: { rawHeaders } }: FastifyRequest): string {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type')
  return at === -1 ? '' : rawHeaders[at + 1]!.split(';')[0]!.trim().toLowerCase()
}

function textOf({ body }: FastifyRequest): string {
  return typeof body === 'string' ? body : ''
}

/** The contract's own documentation sends SDP as JSON, or without a type. @throws {Refusal} UNSUPPORTED_MEDIA_TYPE */
function sdpOf(request: FastifyRequest): string {
  const [type, text] = [typeOf(request), textOf(request)]
  const isSdp = type === SDP || type === '' || (type === 'application/json' && text.startsWith('v='))
  if (!isSdp) throw new Refusal('UNSUPPORTED_MEDIA_TYPE', { message: SDP_ONLY })
  return text
}

/** TURN servers, as RFC 9725 tells them (section 4.6). */
function linksOf({ settings, now, newId }: HttpContext, { entry }: Grant): { link?: string[] } {
  const links = iceServers(settings, entry, { now: now(), name: newId() }).flatMap(
    ({ urls, username, credential }) =>
      urls.map((url) =>
        [
          `<${url}>; rel="ice-server"`,
          ...(username === undefined || credential === undefined
            ? []
            : [`username="${username}"`, `credential="${credential}"`, 'credential-type="password"']),
        ].join('; '),
      ),
  )
  return links.length > 0 ? { link: links } : {}
}
