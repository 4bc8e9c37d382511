/** Wires the meetings of this process to their doors: the sockets that lead into them, and what they announce. */
import { randomBytes } from 'node:crypto'
import { ChatSockets } from '../api/chat/sockets.ts'
import { STREAM_CALLS, type Streams } from '../api/media/session.ts'
import { StreamSessions } from '../api/media/sessions.ts'
import { ChatPace } from '../api/limits/chat-pace.ts'
import type { Gate } from '../api/limits/gate.ts'
import { CheckSockets } from '../api/check/sockets.ts'
import { TurnCheck } from '../api/check/turn.ts'
import { turnAccount } from '../api/rest/init-config.ts'
import { WhiteboardSockets } from '../api/whiteboard/sockets.ts'
import { MeetingSockets } from '../api/signalling/sockets.ts'
import { refusalOfBreakout } from '../meeting/breakouts/entry.ts'
import { isLetInAlways } from '../meeting/door/standing.ts'
import { LocalDirectory } from '../meeting/directory.ts'
import { Door } from '../meeting/door/door.ts'
import type { Jobs } from '../meeting/jobs/jobs.ts'
import type { MeetingHome } from '../meeting/home.ts'
import { LiveMeetings } from '../meeting/live-meetings.ts'
import type { OutputParts } from '../meeting/outputs/parts.ts'
import { Busyness } from '../metrics/busyness.ts'
import type { Announce } from '../meeting/session/session-log.ts'
import type { RevokedTokens } from '../project/revoked-tokens.ts'
import { refusalOfOrigin } from '../project/origins.ts'
import type { Verifier } from '../token/token.ts'
import type { Webhooks } from '../webhook/create.ts'
import { createBreakoutRooms } from './breakouts.ts'
import { newId, type Ground } from './ground.ts'
import { followUp, openJobs } from './jobs.ts'
import type { OwnAddresses } from './composer.ts'
import { openOutputs } from './outputs.ts'

/** A published client's second attempt to come back must find the session. */
const TAKEOVER_GRACE_MS = 15_000
/** The server allocates a relay at once. */
const TURN_CHECK_TTL_SECONDS = 60

export interface MeetingDoors {
  door: Door
  meetings: LiveMeetings
  /** Every live meeting, on whichever node its home is. */
  everywhere: MeetingHome
  sockets: MeetingSockets
  chatSockets: ChatSockets
  whiteboardSockets: WhiteboardSockets
  checkSockets: CheckSockets
  /** The WHIP and WHEP sessions whose home is here. */
  streamsHere: StreamSessions
  streams: Streams
  outputs: OutputParts
  jobs: Jobs
}

export interface MeetingParts {
  gate: Gate
  verifier: Verifier
  revokedTokens: RevokedTokens
  webhooks: Webhooks
  urls: OwnAddresses
}

export function openMeetings(
  ground: Ground,
  { gate, verifier, revokedTokens, webhooks, urls }: MeetingParts,
): MeetingDoors {
  const { config: settings, core, media, metrics, cluster, now, log } = ground
  const { store, keyRing, catalogue } = core
  const chatPace = new ChatPace(settings.maxChatMessagesPerSecond, now)
  const door = new Door({
    verify: (token, options) => verifier.verify(token, options),
    refusalOfOrigin: (grant, origin, ownOrigin) =>
      refusalOfOrigin(keyRing.find(grant.apiKey)?.origins ?? null, origin, ownOrigin),
    findMeeting: (grant, anyId) => catalogue.find(grant.projectId, anyId),
    findLive: ({ projectId }, anyId) =>
      cluster ? cluster.findLive(projectId, anyId) : meetings.find(projectId, anyId),
    knows: (...who) => everywhere.knows(...who),
    hasHiddenSeat: (...who) => meetings.hasHiddenSeat(...who),
    refusalOfBreakout: (...who) =>
      refusalOfBreakout({ store, isRevoked: (token) => revokedTokens.has(token) }, ...who),
    isLetInAlways: (...who) => isLetInAlways(store, ...who),
    mediaStatus: () => media.status,
    randomId: () => randomBytes(5).toString('hex').slice(0, 8),
  })
  const announce: Announce = (meeting, fact) => {
    const announced = webhooks.announce(meeting, fact)
    // The line that ties a delivery to the request or connection that brought it about.
    for (const { deliveryId, event, meetingId, sessionId } of announced)
      log.info({ deliveryId, event, meetingId, sessionId }, 'queued an event for delivery')
    return announced
  }
  const outputs = openOutputs(ground, announce, urls, (ended) => followUp(jobs, ended, log))
  const jobs: Jobs = openJobs(ground, outputs)
  const sockets = new MeetingSockets({
    settings,
    gate,
    chatPace,
    door,
    isAtAnotherNode: cluster && (async (id) => typeof (await cluster.homes.find(id)) === 'object'),
    now,
    onRefusal: (refusal) => metrics.refused('socket', refusal),
    onJoined: (entry, ms) => metrics.joined(entry, ms / 1000),
    log,
  })
  const meetings: LiveMeetings = new LiveMeetings({
    settings: {
      ...settings,
      lobbyTimeoutMs: settings.lobbyTimeoutSeconds * 1000,
      sessionGraceMs: settings.sessionGraceSeconds * 1000,
      joinTimeoutMs: settings.joinTimeoutSeconds * 1000,
      ...(cluster && { takeoverGraceMs: TAKEOVER_GRACE_MS }),
    },
    directory: cluster?.homes ?? new LocalDirectory(),
    store,
    sfu: media,
    openAudience: sockets.openAudience,
    announce,
    outputs,
    rooms: createBreakoutRooms({ catalogue, keyRing, home: () => everywhere, now }),
    refusalSince: (grant) => verifier.refusalSince(grant),
    now,
    newSessionId: newId,
    newSecretId: () => randomBytes(18).toString('base64url'),
    onError: (error, doing) => log.error({ err: error }, doing),
  })
  const chatSockets = new ChatSockets({
    settings,
    pace: chatPace,
    openChat: (ticket, link) => meetings.openChat(ticket, link),
    onMessage: () => metrics.chatMessage(),
    onRefusal: (refusal) => metrics.refused('chat', refusal),
    log,
  })
  const whiteboardSockets = new WhiteboardSockets({
    connect: (key, link) => meetings.openWhiteboard(key, link),
    callerOf: (request) => gate.callerOf(request),
    log,
  })
  const checkSockets = new CheckSockets({
    openRouter: () => media.openRouter(),
    turn: new TurnCheck({
      urls: settings.turnUrls,
      account: () => turnAccount(settings, TURN_CHECK_TTL_SECONDS, { now: now(), name: newId() }),
      openRouter: () => media.openRouter(),
      now,
    }),
    callerOf: (request) => gate.callerOf(request),
    maxChecks: settings.maxChecks,
    now,
    log,
  })
  const streamsHere = new StreamSessions({
    meetings,
    openRouter: (asked) => media.openRouter(asked),
    mediaStatus: () => media.status,
    refusalSince: (grant) => verifier.refusalSince(grant),
    newSecretId: () => randomBytes(18).toString('base64url'),
    maxViewers: settings.maxWhepViewers,
    log,
  })
  const streams =
    cluster?.services.serve<Streams, keyof Streams>(streamsHere, STREAM_CALLS, ['openSender']) ?? streamsHere
  const busyness = new Busyness({ workers: () => media.usage(), cpuUsage: () => process.cpuUsage(), now })
  const everywhere: MeetingHome =
    cluster?.routed(
      meetings,
      async (id) => (await store.sessions.ongoing(id)) !== undefined,
      () => busyness.read(),
    ) ?? meetings
  return {
    door,
    meetings,
    everywhere,
    sockets,
    chatSockets,
    whiteboardSockets,
    checkSockets,
    streamsHere,
    streams,
    outputs,
    jobs,
  }
}
