/**
 * One successful call of each operation of the REST API. Each creates what it needs, so their order does not matter.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { OutputOrdered } from '../../src/meeting/outputs/orders.ts'
import {
  hlsOrder,
  livestreamOrder,
  recordingOrder,
  transcriptionOrder,
} from '../../src/meeting/outputs/orders.ts'
import { compositeOrder } from '../../src/meeting/outputs/composite-orders.ts'
import { participantOrder, trackOrder } from '../../src/meeting/outputs/participant-orders.ts'
import { audio, offerOf, video } from './offers.ts'
import type { TestServer } from './test-server.ts'
import type { WireClient } from './wire-client.ts'

const OPUS = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: {} }],
  encodings: [{ ssrc: 1111 }],
  rtcp: { cname: 'ann' },
}

export interface Call {
  /** Parameters in the address. */
  path?: Record<string, string>
  query?: Record<string, string>
  /** The meeting of the call, if none of its fields names it. */
  roomId?: string
  body?: unknown
  /** Replaces the credentials that the operation usually gets. */
  authorization?: string
  /** Of a body that is a text; others are JSON. */
  type?: string
  headers?: Record<string, string>
  /** Default 200. */
  status?: number
}

let operators = 0

const PASSWORD = 'a password of enough length'

/** Creates the meetings, keys and other objects that calls need. */
export class Stage {
  readonly server: TestServer

  constructor(server: TestServer) {
    this.server = server
  }

  /** A meeting in which a participant has joined as `ann`. */
  async session(
    options: Record<string, unknown> = {},
  ): Promise<{ roomId: string; sessionId: string; token: string; ann: WireClient }> {
    const roomId = await this.server.createMeeting(options)
    const token = this.server.token(['allow_join'])
    const ann = this.server.connect({ meetingId: roomId, token, participantId: 'ann', name: 'Ann' })
    const { self } = await ann.join()
    return { roomId, sessionId: self.sessionId, token, ann }
  }

  /** A meeting in which `ann` has sent messages, streams and values, and `gus` waits in the lobby. */
  async busySession(): ReturnType<Stage['session']> {
    const session = await this.session()
    const { roomId, ann } = session
    await ann.request('produce', {
      transportId: ann.transports.send,
      kind: 'audio',
      rtpParameters: OPUS,
    })
    await this.server.rest('POST', `/v2/rooms/${roomId}/messages`, {
      topic: 'CHAT',
      message: 'hello',
      persist: true,
    })
    await this.server.rest('PUT', `/v2/rooms/${roomId}/values/slide`, { value: '3' })
    await this.waiting(roomId)
    return session
  }

  async waiting(roomId: string): Promise<WireClient> {
    const token = this.server.token(['ask_join'])
    const gus = this.server.connect({ meetingId: roomId, token, participantId: 'gus', name: 'Gus' })
    await gus.enter()
    return gus
  }

  async invite(): Promise<{ roomId: string; inviteId: string; code: string }> {
    const roomId = await this.server.createMeeting()
    const { body } = await this.server.rest('POST', '/v2/invites', { roomId, entry: 'ask' })
    return { roomId, inviteId: body.inviteId, code: body.code }
  }

  /** A project of its own with one key. */
  async project(): Promise<{ projectId: string; apiKey: string }> {
    const { body: project } = await this.server.admin('POST', '/v2/admin/projects', { name: 'Documented' })
    const { body: key } = await this.server.admin('POST', '/v2/admin/keys', project)
    return { projectId: project.projectId, apiKey: key.apiKey }
  }

  /** A link that makes an operator. */
  async operatorInvite(role = 'operator'): Promise<{ inviteId: string; code: string; name: string }> {
    const name = `operator ${++operators}`
    const { body } = await this.server.admin('POST', '/v2/admin/operator-invites', { name, role })
    return { inviteId: body.inviteId, code: body.link.split('#invite=')[1], name }
  }

  /** An operator who is signed in. */
  async operator(role = 'operator') {
    const { code, name } = await this.operatorInvite(role)
    // Tries to sign in are limited in rate.
    this.server.aheadMs += 10_000
    const answer = await fetch(`${this.server.url}/v2/admin/operator-invites/accept`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, password: PASSWORD }),
    })
    const cookie = answer.headers.get('set-cookie')!.split(';')[0]!
    const { self } = (await answer.json()) as { self: { operatorId: string } }
    const { body } = await this.server.admin('GET', '/v2/admin/sign-ins?of=all')
    const { signInId } = body.data.find((one: any) => one.operatorId === self.operatorId)
    return { operatorId: self.operatorId, name, cookie, signInId: signInId as string }
  }

  /** A delivery that no receiver accepts. */
  async delivery(): Promise<{ roomId: string; deliveryId: string }> {
    const webhook = { endPoint: 'http://127.0.0.1:9/', events: ['*'] }
    const { roomId } = await this.session({ webhook })
    const { body } = await this.server.rest('GET', `/v2/webhooks/deliveries?roomId=${roomId}`)
    return { roomId, deliveryId: body.data[0].deliveryId }
  }

  /** An output of a meeting in which `ann` is present. */
  async output(
    order: OutputOrdered,
    { goesOn = false } = {},
  ): Promise<{ roomId: string; outputId: string; sessionId: string; ann: WireClient }> {
    const { roomId, ann, sessionId } = await this.session()
    const { meetings } = this.server
    const { output, afterReply } = await meetings.startOutput(roomId, order)
    afterReply()
    if (!goesOn) {
      const stopped = await meetings.stopOutput(roomId, order.kind)
      stopped.afterReply()
      while ((await meetings.outputs(roomId)).length > 0) await delay(5)
    }
    return { roomId, outputId: output.outputId, sessionId, ann }
  }

  /** The address of a file that `ann` shared, split into its parameters, with a token that may read it. */
  async file(): Promise<{ path: Record<string, string>; authorization: string }> {
    const { roomId, token } = await this.session()
    const { body } = await this.server.rest(
      'POST',
      `/base64-upload?roomId=${roomId}`,
      { fileName: 'a.txt', base64Data: 'aGVsbG8=' },
      token,
    )
    const [, , meetingId, fileId, name] = new URL(body.url as string).pathname.split('/')
    return { path: { meetingId: meetingId!, fileId: fileId!, name: name! }, authorization: token }
  }
}

const sendsSdp = offerOf(audio('sendonly'), video('sendonly', ['96 VP8']))
const watchesSdp = offerOf(audio('recvonly'), video('recvonly', ['96 VP8']))

/** The body of a call as `fetch` takes it, and its type. */
export const bodyOf = ({ body }: Call): { body?: string } =>
  body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
export const bodyTypeOf = ({ body, type }: Call): { 'content-type'?: string } =>
  body === undefined
    ? {}
    : { 'content-type': type ?? (typeof body === 'string' ? 'application/sdp' : 'application/json') }

type MakeCall = (stage: Stage) => Call | Promise<Call>

const nothing: MakeCall = () => ({})
const anyMeeting: MakeCall = async ({ server }) => ({ path: { id: await server.createMeeting() } })
const busyRoom: MakeCall = async (stage) => ({ path: { roomId: (await stage.busySession()).roomId } })
const ofSession: MakeCall = async (stage) => ({ path: { sessionId: (await stage.busySession()).sessionId } })
const ofKey =
  (body: object): MakeCall =>
  async (stage) => ({ path: { apiKey: (await stage.project()).apiKey }, body })
const ofProject =
  (body: object): MakeCall =>
  async (stage) => ({ path: { projectId: (await stage.project()).projectId }, body })
const ofDelivery: MakeCall = async (stage) => ({
  path: { deliveryId: (await stage.delivery()).deliveryId },
})

/** A meeting that lets `ann` in always. */
async function letInAlways({ server }: Stage): Promise<string> {
  const meetingId = await server.createMeeting()
  const [mod, ann] = (['allow_mod', 'ask_join'] as const).map((permission) =>
    server.connect({
      meetingId,
      token: server.token([permission]),
      participantId: permission === 'allow_mod' ? 'mod' : 'ann',
    }),
  ) as [WireClient, WireClient]
  await mod.join()
  const joining = ann.join()
  await mod.hears('entryRequested')
  await mod.request('respondEntry', { id: 'ann', decision: 'allowed', always: true })
  await joining
  return meetingId
}

/** A stream session, opened by another token. */
const streamOf =
  (name: 'whip' | 'whep', offer: string): MakeCall =>
  async (stage) => {
    const { server } = stage
    const { roomId } = await stage.session()
    const answer = await fetch(`${server.url}/v2/${name}?roomId=${roomId}`, {
      method: 'POST',
      headers: { authorization: server.token(['allow_join']), 'content-type': 'application/sdp' },
      body: offer,
    })
    return { roomId, path: { sessionId: answer.headers.get('location')!.split('/').at(-1)! } }
  }
const patchesStream =
  (name: 'whip' | 'whep', offer: string): MakeCall =>
  async (stage) => ({
    ...(await streamOf(name, offer)(stage)),
    body: `a=ice-ufrag:abcd\r\na=ice-pwd:${'p'.repeat(24)}\r\n`,
    type: 'application/trickle-ice-sdpfrag',
    headers: { 'if-match': '*' },
  })

const recording = recordingOrder({}, 'http://localhost')
const transcription = transcriptionOrder({}, 'http://localhost')
const hls = hlsOrder({}, 'http://localhost')
const targets = [{ url: 'rtmp://127.0.0.1/live', streamKey: 'k' }]
const livestream = livestreamOrder({ outputs: targets }, 'http://localhost')
const outputOf =
  (order: OutputOrdered): MakeCall =>
  async (stage) => {
    const { roomId, outputId } = await stage.output(order)
    return { path: { id: outputId }, roomId }
  }
const goesOn =
  (order: OutputOrdered, body: object = {}): MakeCall =>
  async (stage) => ({ body: { roomId: (await stage.output(order, { goesOn: true })).roomId, ...body } })
const ofRecording = outputOf(recording)
const endsRecording = goesOn(recording)

const caller = { baseUrl: 'http://localhost', participantName: 'Ann' }
const annRecorded = { participantId: 'ann' }
const annTrack = { ...annRecorded, kind: 'audio' as const }
const ofParticipant = participantOrder({ roomId: '', ...annRecorded }, caller)
const ofTrack = trackOrder({ roomId: '', ...annTrack }, caller)
const ofComposite = compositeOrder({}, [], caller.baseUrl)
const startsOf =
  (body: object = {}): MakeCall =>
  async (stage) => ({ body: { roomId: (await stage.session()).roomId, ...body } })
const listOf =
  (order: OutputOrdered): MakeCall =>
  async (stage) => ({ query: { roomId: (await stage.output(order)).roomId } })

/** A job made of one output. */
const startsJob =
  (order: OutputOrdered, body: (outputId: string, sessionId: string) => object): MakeCall =>
  async (stage) => {
    const { roomId, outputId, sessionId } = await stage.output(order)
    return { roomId, body: body(outputId, sessionId) }
  }
const mergesAnn = startsJob(ofParticipant, (recordingId, sessionId) => ({
  sessionId,
  channel1: [annRecorded],
  channel2: [{ ...annRecorded, recordingId }],
}))
const mergesRecordings = startsJob(ofParticipant, (id) => ({ recordingIds: [id] }))
const joinsRecordings = startsJob(recording, (id) => ({ recordingIds: [{ id }] }))
const convertsHls = startsJob(hls, (hlsId) => ({ hlsId }))
const jobOf =
  (path: string, starts: MakeCall): MakeCall =>
  async (stage) => {
    const { roomId, body } = await starts(stage)
    const { body: job } = await stage.server.rest('POST', path, body)
    return { roomId: roomId!, path: { id: (job.recording ?? job).id } }
  }
const mergeOfAnn = jobOf('/v2/recordings/participant/merge', mergesAnn)
const jobsOf =
  (path: string, starts: MakeCall): MakeCall =>
  async (stage) => ({ query: { roomId: (await jobOf(path, starts)(stage)).roomId! } })
/** A recording whose text was asked for. */
const heard = recordingOrder({ transcription: { enabled: true } }, 'http://localhost')
const textOfHeard: MakeCall = async (stage) => {
  const { roomId } = await stage.output(heard)
  const { body } = await stage.server.rest('GET', `/ai/v1/post-transcriptions?roomId=${roomId}`)
  return { roomId, path: { id: body.transcriptions[0].id } }
}

/** Keyed by method and address, as in the API document. */
export const calls: Record<string, MakeCall> = {
  'GET /health': nothing,
  'GET /health/live': nothing,
  'GET /health/ready': nothing,
  'GET /ping': nothing,
  'GET /metrics': nothing,
  'GET /v2/admin/status': nothing,
  'GET /v2/admin/history': nothing,
  'GET /v2/admin/usage': nothing,
  'GET /v2/admin/usage.csv': nothing,
  'GET /v2/admin/debug/meetings/{id}': async (stage) => ({
    path: { id: (await stage.busySession()).roomId },
  }),
  'GET /openapi.json': nothing,
  'GET /asyncapi.json': nothing,

  'GET /get-token': () => ({ query: { roomId: '87i6-bvw8-dtn1', participantId: 'ann', expiresIn: '15m' } }),
  'POST /v1/prebuilt/token': () => ({ body: { apiKey: 'test-key', permissions: ['ask_join'] } }),

  'POST /create-meeting': nothing,
  'POST /create-room': nothing,
  'GET /validate-meeting/{id}': anyMeeting,
  'POST /validate-meeting/{id}': anyMeeting,
  'GET /validate-room/{id}': anyMeeting,
  'POST /validate-room/{id}': anyMeeting,

  'POST /v2/rooms': () => ({
    body: {
      customRoomId: 'documented',
      webhook: { endPoint: 'https://app.example/hook', events: ['session-*'] },
      autoCloseConfig: { type: 'session-end-and-deactivate', duration: 30 },
      autoStartConfig: { recording: {} },
      multiComposition: { recording: true },
      geoFence: 'eu001',
      allowedParticipantIds: ['ann'],
      knock: true,
    },
  }),
  'POST /v1/meetings': () => ({ body: { userMeetingId: 'documented-v1' } }),
  'POST /api/meetings': nothing,
  'GET /v2/rooms': () => ({ query: { page: '1', perPage: '5' } }),
  'GET /v1/meetings': nothing,
  'GET /api/meetings': nothing,
  'GET /v2/rooms/{id}': anyMeeting,
  'GET /v1/meetings/{id}': anyMeeting,
  'GET /api/meetings/{id}': anyMeeting,
  'GET /v2/rooms/validate/{id}': anyMeeting,
  'POST /v2/rooms/validate/{id}': anyMeeting,
  'POST /v1/meetings/{id}': anyMeeting,
  'POST /api/meetings/{id}': anyMeeting,
  'POST /v2/rooms/deactivate': async ({ server }) => ({ body: { roomId: await server.createMeeting() } }),
  'POST /v1/prebuilt/meetings/{id}': () => ({ path: { id: 'any name' } }),

  'POST /infra/v1/meetings/init-config': async ({ server }) => ({
    body: { roomId: await server.createMeeting() },
  }),
  'POST /base64-upload': async (stage) => {
    const { roomId, token } = await stage.session()
    return {
      query: { roomId },
      body: { fileName: 'a.txt', base64Data: 'aGVsbG8=' },
      authorization: token,
    }
  },
  'GET /files/{meetingId}/{fileId}/{name}': (stage) => stage.file(),

  'POST /v2/invites': async ({ server }) => ({
    body: { roomId: await server.createMeeting(), entry: 'direct', maxUses: 2 },
  }),
  'GET /v2/invites': async (stage) => ({ query: { roomId: (await stage.invite()).roomId } }),
  'POST /v2/invites/{inviteId}/revoke': async (stage) => {
    const { inviteId, roomId } = await stage.invite()
    return { path: { inviteId }, body: { roomId } }
  },
  'POST /invites/exchange': async (stage) => ({ body: { code: (await stage.invite()).code } }),

  'POST /page/start': nothing,
  'POST /page/knock': async ({ server }) => ({
    body: { meetingId: await server.createMeeting({ knock: true }) },
  }),
  'GET /v2/rooms/{roomId}/knock': async ({ server }) => ({ path: { roomId: await server.createMeeting() } }),
  'GET /v2/rooms/{roomId}/inside': busyRoom,
  'PUT /v2/rooms/{roomId}/knock': async ({ server }) => ({
    path: { roomId: await server.createMeeting() },
    body: { knock: true },
  }),

  'POST /ai/v1/realtime-transcriptions/start': startsOf(),
  'POST /ai/v1/realtime-transcriptions/end': goesOn(transcription),
  'GET /ai/v1/realtime-transcriptions': listOf(transcription),
  'GET /ai/v1/realtime-transcriptions/{id}': outputOf(transcription),
  'GET /ai/v1/post-transcriptions': listOf(heard),
  'GET /ai/v1/post-transcriptions/{id}': textOfHeard,
  'POST /v2/recordings/participant/start': startsOf(annRecorded),
  'POST /v2/recordings/participant/stop': goesOn(ofParticipant, annRecorded),
  'GET /v2/recordings/participant': listOf(ofParticipant),
  'GET /v2/recordings/participant/{id}': outputOf(ofParticipant),
  'DELETE /v2/recordings/participant/{id}': outputOf(ofParticipant),
  'POST /v2/recordings/participant/track/start': startsOf(annTrack),
  'POST /v2/recordings/participant/track/stop': goesOn(ofTrack, annTrack),
  'GET /v2/recordings/participant/track': listOf(ofTrack),
  'GET /v2/recordings/participant/track/{id}': outputOf(ofTrack),
  'DELETE /v2/recordings/participant/track/{id}': outputOf(ofTrack),
  'POST /v2/recordings/composite/start': startsOf(),
  'POST /v2/recordings/composite/stop': async (stage) => {
    const { roomId, outputId } = await stage.output(ofComposite, { goesOn: true })
    return { body: { roomId, recordingId: outputId } }
  },
  'GET /v2/recordings/composite': listOf(ofComposite),
  'GET /v2/recordings/composite/{id}': outputOf(ofComposite),
  'DELETE /v2/recordings/composite/{id}': outputOf(ofComposite),
  'POST /v2/recordings/participant/merge': mergesAnn,
  'GET /v2/recordings/participant/merge': jobsOf('/v2/recordings/participant/merge', mergesAnn),
  'GET /v2/recordings/participant/merge/{id}': mergeOfAnn,
  'POST /v2/transcodings/merge': mergesRecordings,
  'POST /v2/transcodings/hls-to-mp4': convertsHls,
  'POST /v2/transcodings/meeting-recording-merge': joinsRecordings,
  'GET /v2/transcodings': jobsOf('/v2/transcodings/merge', mergesRecordings),
  'GET /v2/transcodings/{id}': jobOf('/v2/transcodings/meeting-recording-merge', joinsRecordings),
  'POST /v2/transcodings/{id}/cancel': jobOf('/v2/transcodings/hls-to-mp4', convertsHls),
  'POST /v2/recordings/start': startsOf(),
  'POST /v2/recordings/end': endsRecording,
  'POST /v2/recordings/stop': endsRecording,
  'GET /v2/recordings': listOf(recording),
  'GET /v2/recordings/{id}': ofRecording,
  'DELETE /v2/recordings/{id}': ofRecording,
  'POST /v2/hls/start': startsOf(),
  'POST /v2/hls/end': goesOn(hls),
  'POST /v2/hls/stop': goesOn(hls),
  'POST /v2/hls/capture': goesOn(hls),
  'GET /v2/hls': listOf(hls),
  'GET /v2/hls/{id}/active': async (stage) => ({
    path: { id: (await stage.output(hls, { goesOn: true })).roomId },
  }),
  'GET /v2/hls/{id}': outputOf(hls),
  'DELETE /v2/hls/{id}': outputOf(hls),
  'POST /v2/livestreams/start': startsOf({ outputs: targets }),
  'POST /v2/livestreams/end': goesOn(livestream),
  'POST /v2/livestreams/stop': goesOn(livestream),
  'GET /v2/livestreams': listOf(livestream),
  'GET /v2/livestreams/{id}': outputOf(livestream),
  'GET /v2/sessions': async (stage) => ({ query: { roomId: (await stage.busySession()).roomId } }),
  'GET /v2/sessions/{sessionId}': ofSession,
  'POST /v2/sessions/end': async (stage) => ({ body: { roomId: (await stage.busySession()).roomId } }),
  'POST /v2/sessions/participants/remove': async (stage) => ({
    body: { roomId: (await stage.session()).roomId, participantId: 'ann' },
  }),
  'GET /v2/sessions/{sessionId}/participants': ofSession,
  'GET /v2/sessions/{sessionId}/participants/active': ofSession,
  'GET /v2/sessions/{sessionId}/participants/{participantId}': async (stage) => ({
    path: { sessionId: (await stage.busySession()).sessionId, participantId: 'ann' },
  }),
  'GET /v2/sessions/{sessionId}/stats': ofSession,
  'GET /v2/sessions/{sessionId}/participant/{participantId}/stats': async (stage) => ({
    path: { sessionId: (await stage.busySession()).sessionId, participantId: 'ann' },
  }),
  'GET /v2/sessions/{sessionId}/participants/{participantId}/media': async (stage) => ({
    path: { sessionId: (await stage.busySession()).sessionId, participantId: 'ann' },
  }),
  'GET /v2/sessions/{sessionId}/participants/{participantId}/diagnosis': async (stage) => ({
    path: { sessionId: (await stage.busySession()).sessionId, participantId: 'ann' },
  }),
  'GET /v2/sessions/{sessionId}/chat-log': ofSession,
  'GET /v1/meeting-sessions': nothing,
  'GET /v1/meeting-sessions/{sessionId}': ofSession,
  'POST /v1/meeting-sessions/{sessionId}/end': ofSession,
  'POST /v1/meeting-sessions/{sessionId}/remove-participant': async (stage) => ({
    ...(await ofSession(stage)),
    body: { participantId: 'ann' },
  }),

  'POST /v2/whip': async (stage) => ({
    query: { roomId: (await stage.session()).roomId },
    body: sendsSdp,
    status: 201,
  }),
  'POST /whip/{meetingId}': async (stage) => ({
    path: { meetingId: (await stage.session()).roomId },
    body: sendsSdp,
    status: 201,
  }),
  'POST /v2/whep': async (stage) => ({
    query: { roomId: (await stage.session()).roomId },
    body: watchesSdp,
    status: 201,
  }),
  'POST /whep/{meetingId}/{participantId}': async (stage) => ({
    path: { meetingId: (await stage.session()).roomId, participantId: 'ann' },
    body: watchesSdp,
    status: 201,
  }),
  'PATCH /v2/whip/sessions/{sessionId}': patchesStream('whip', sendsSdp),
  'DELETE /v2/whip/sessions/{sessionId}': streamOf('whip', sendsSdp),
  'PATCH /v2/whep/sessions/{sessionId}': patchesStream('whep', watchesSdp),
  'DELETE /v2/whep/sessions/{sessionId}': streamOf('whep', watchesSdp),
  'GET /v2/rooms/{roomId}/live': busyRoom,
  'POST /v2/rooms/{roomId}/entry-requests/respond': async (stage) => ({
    ...(await busyRoom(stage)),
    body: { participantId: 'gus', decision: 'denied' },
  }),
  'POST /v2/sessions/participants/mute': async (stage) => ({
    body: { roomId: (await stage.busySession()).roomId, participantId: 'ann', kind: 'audio' },
  }),
  'POST /v2/sessions/participants/ask': async (stage) => ({
    body: { roomId: (await stage.session()).roomId, participantId: 'ann', kind: 'video' },
  }),
  'POST /v2/rooms/{roomId}/messages': async (stage) => ({
    path: { roomId: (await stage.session()).roomId },
    body: { topic: 'CHAT', message: 'hello', payload: { bold: true } },
  }),
  'GET /v2/rooms/{roomId}/messages': busyRoom,
  'GET /v2/rooms/{roomId}/values/{key}': async (stage) => ({
    path: { roomId: (await stage.busySession()).roomId, key: 'slide' },
  }),
  'PUT /v2/rooms/{roomId}/values/{key}': async (stage) => ({
    path: { roomId: (await stage.session()).roomId, key: 'slide' },
    body: { value: '4' },
  }),
  'GET /v2/rooms/{roomId}/removals': async (stage) => {
    const { roomId } = await stage.session()
    await stage.server.rest(
      'POST',
      '/v2/sessions/participants/remove',
      { roomId, participantId: 'ann' },
      stage.server.token(['allow_mod']),
    )
    return { path: { roomId } }
  },
  'POST /v2/rooms/{roomId}/removals/lift': async (stage) => {
    const { path } = (await calls['GET /v2/rooms/{roomId}/removals']!(stage)) as { path: { roomId: string } }
    return { path, body: { participantId: 'ann' } }
  },
  'GET /v2/rooms/{roomId}/let-in-always': async (stage) => ({ path: { roomId: await letInAlways(stage) } }),
  'POST /v2/rooms/{roomId}/let-in-always/lift': async (stage) => ({
    path: { roomId: await letInAlways(stage) },
    body: { participantId: 'ann' },
  }),

  'GET /v2/public/rsa-public-key': nothing,
  'GET /v2/webhooks/deliveries': async (stage) => ({ query: { roomId: (await stage.delivery()).roomId } }),
  'GET /v2/webhooks/deliveries/{deliveryId}': ofDelivery,
  'POST /v2/webhooks/deliveries/{deliveryId}/replay': ofDelivery,
  'POST /v2/webhooks/deliveries/replay': () => ({ body: { state: 'parked' } }),

  'GET /v2/admin/sign-in': nothing,
  'POST /v2/admin/sign-in': async ({ server }) => {
    const password = PASSWORD
    await server.admin('POST', '/v2/admin/password', { password })
    return { body: { name: 'owner', password } }
  },
  'POST /v2/admin/password': () => ({ body: { password: PASSWORD } }),
  'POST /v2/admin/sign-out': nothing,
  'GET /v2/admin/sign-ins': () => ({ query: { of: 'all' } }),
  'POST /v2/admin/sign-ins/{signInId}/end': async (stage) => ({
    path: { signInId: (await stage.operator()).signInId },
  }),
  'GET /v2/admin/operators': nothing,
  'PATCH /v2/admin/operators/{operatorId}': async (stage) => ({
    path: { operatorId: (await stage.operator()).operatorId },
    body: { role: 'viewer' },
  }),
  'DELETE /v2/admin/operators/{operatorId}': async (stage) => ({
    path: { operatorId: (await stage.operator()).operatorId },
  }),
  'POST /v2/admin/operators/{operatorId}/password-link': async (stage) => ({
    path: { operatorId: (await stage.operator()).operatorId },
    body: { expiresInSeconds: 3600 },
  }),
  'GET /v2/admin/operator-invites': nothing,
  'POST /v2/admin/operator-invites': () => ({ body: { name: `invited ${++operators}`, role: 'viewer' } }),
  'POST /v2/admin/operator-invites/{inviteId}/revoke': async (stage) => ({
    path: { inviteId: (await stage.operatorInvite()).inviteId },
  }),
  'POST /v2/admin/operator-invites/look': async (stage) => ({
    body: { code: (await stage.operatorInvite()).code },
  }),
  'POST /v2/admin/operator-invites/accept': async (stage) => ({
    body: { code: (await stage.operatorInvite()).code, password: PASSWORD },
  }),
  // Not set up in most tests.
  'GET /v2/admin/oidc/start': () => ({ status: 409 }),
  'GET /v2/admin/oidc/callback': () => ({ status: 409 }),
  'GET /v2/admin/second-factor': nothing,
  // These take a sign-in; the admin key, with which calls are made by default, belongs to nobody.
  'POST /v2/admin/second-factor/begin': () => ({ body: { password: PASSWORD }, status: 409 }),
  'POST /v2/admin/second-factor/confirm': () => ({ body: { code: '123456' }, status: 409 }),
  'POST /v2/admin/second-factor/recovery-codes': () => ({ body: { password: PASSWORD }, status: 409 }),
  'POST /v2/admin/second-factor/disable': () => ({ body: { password: PASSWORD }, status: 409 }),
  'PUT /v2/admin/second-factor/required': () => ({ body: { required: false } }),
  'POST /v2/admin/operators/{operatorId}/second-factor-reset': async (stage) => ({
    path: { operatorId: (await stage.operator()).operatorId },
  }),
  'GET /v2/admin/audit': () => ({ query: { action: 'project', perPage: '5' } }),
  'GET /v2/admin/audit/export': () => ({ query: { format: 'csv' } }),
  'GET /v2/admin/settings': nothing,
  'GET /v2/admin/projects': nothing,
  'POST /v2/admin/projects': () => ({ body: { name: 'Another' } }),
  'PATCH /v2/admin/projects/{projectId}': ofProject({
    name: 'Renamed',
    webhook: { endPoint: 'http://127.0.0.1:9/', events: ['session-*'] },
  }),
  'POST /v2/admin/projects/{projectId}/people/export': ofProject({ participantId: 'ann' }),
  'POST /v2/admin/projects/{projectId}/people/erase': ofProject({ participantId: 'ann' }),
  'GET /v2/admin/keys': nothing,
  'POST /v2/admin/keys': async (stage) => ({
    body: {
      projectId: (await stage.project()).projectId,
      name: 'web',
      origins: ['https://app.example.org'],
    },
  }),
  'PATCH /v2/admin/keys/{apiKey}': ofKey({ name: 'renamed', origins: null }),
  'POST /v2/admin/keys/{apiKey}/rotate': ofKey({ overlapSeconds: 60 }),
  'POST /v2/admin/keys/{apiKey}/revoke': ofKey({ connections: 'end' }),
  'POST /v2/admin/projects/{projectId}/token': ofProject({ permissions: ['ask_join'], roles: ['rtc'] }),
  'POST /v2/admin/token/inspect': ({ server }) => ({ body: { token: server.token(['ask_join']) } }),
  // A server alone has no nodes.
  'POST /v2/admin/nodes/{nodeId}/drain': () => ({ path: { nodeId: 'a' }, body: {}, status: 409 }),
  'DELETE /v2/admin/nodes/{nodeId}/drain': () => ({ path: { nodeId: 'a' }, status: 409 }),
  'POST /v2/tokens/revoke': () => ({ body: { jti: 'documented' } }),
  'GET /v2/tokens/revoked': nothing,
}
