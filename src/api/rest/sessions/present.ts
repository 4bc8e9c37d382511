/** Sessions and participants in the shapes of the REST API. */
import { createHash } from 'node:crypto'
import type { Static } from 'typebox'
import type {
  IntervalRecord,
  MeetingRecord,
  SessionRecord,
  StatsRecord,
  StayRecord,
} from '../../../store/store.ts'
import { iceStates, protocols, qualityFrom, type Quality } from '../../../meeting/media/quality.ts'
import type { MediaSample } from '../../../protocol/rest/quality.ts'
import {
  resolutions,
  type ParticipantStats,
  type Session,
  type SessionParticipantInFull,
  type StatsSample,
} from '../../../protocol/rest/sessions.ts'

export const iso = (at: number): string => new Date(at).toISOString()
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at))
const span = (start: number, end: number | null) => ({ start: iso(start), end: isoOrNull(end) })

export function toSession(
  session: SessionRecord,
  meeting: MeetingRecord | undefined,
  stays: readonly StayRecord[],
  baseUrl: string,
  now: number,
): Session {
  const { sessionId, meetingId, projectId, startedAt, endedAt, endReason } = session
  const customId = meeting?.customId ?? null
  const link = `${baseUrl}/v2/sessions/${sessionId}`
  return {
    id: sessionId,
    sessionId,
    roomId: meetingId,
    meetingId,
    ...(customId !== null && { customRoomId: customId, userMeetingId: customId }),
    userId: projectId,
    ...span(startedAt, endedAt),
    status: endedAt === null ? 'ongoing' : 'ended',
    endReason,
    activeDuration: Math.round(occupiedMs(stays, endedAt ?? now) / 1000),
    chatLink: `${link}/chat-log`,
    participants: [...Map.groupBy(stays, ({ participantId }) => participantId)].map(
      ([participantId, own]) => ({
        participantId,
        name: own.at(-1)!.name,
        timelog: own.map(({ joinedAt, leftAt }) => span(joinedAt, leftAt)),
      }),
    ),
    links: { get_room: `${baseUrl}/v2/rooms/${meetingId}`, get_session: link },
  }
}

/** The time during which at least one participant was inside. `stays` are sorted by join time. */
function occupiedMs(stays: readonly StayRecord[], until: number): number {
  let [total, coveredTo] = [0, 0]
  for (const { joinedAt, leftAt } of stays) {
    const end = leftAt ?? until
    total += Math.max(0, end - Math.max(joinedAt, coveredTo))
    coveredTo = Math.max(coveredTo, end)
  }
  return total
}

const streamEvents = {
  mic: 'audio',
  webcam: 'video',
  screenShare: 'share',
  screenShareAudio: 'shareAudio',
} as const

export function inFull(
  stays: readonly StayRecord[],
  intervals: readonly IntervalRecord[],
): Static<typeof SessionParticipantInFull> {
  const last = stays.at(-1)!
  const of = (kind: IntervalRecord['kind']) =>
    intervals.filter((one) => one.kind === kind).map(({ startedAt, endedAt }) => span(startedAt, endedAt))
  const modes = intervals.filter(({ kind }) => kind === 'mode')
  return {
    _id: stableId(last.sessionId, last.participantId),
    participantId: last.participantId,
    name: last.name,
    timelog: stays.map(({ joinedAt, leftAt, leaveReason }) => ({ ...span(joinedAt, leftAt), leaveReason })),
    initTime: iso(stays[0]!.joinedAt),
    mode: modes.at(-1)?.value ?? 'SEND_AND_RECV',
    changeModeHistory: modes.map(({ value, startedAt, endedAt }) => ({
      _id: stableId(last.sessionId, last.participantId, value, String(startedAt)),
      mode: value,
      timelog: [span(startedAt, endedAt)],
    })),
    events: {
      mic: of(streamEvents.mic),
      webcam: of(streamEvents.webcam),
      screenShare: of(streamEvents.screenShare),
      screenShareAudio: of(streamEvents.screenShareAudio),
    },
    deviceInfo: last.device,
    leaveReason: last.leaveReason,
  }
}

/** Derives an id of 24 hex digits, as upstream's are, for records without an id of their own. */
function stableId(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 24)
}

export function toSample(at: number, quality: Quality): StatsSample {
  return {
    time: iso(at),
    sendAudioPacketLost: quality.sendAudioLost,
    sendVideoPacketLost: quality.sendVideoLost,
    recvAudioPacketLost: quality.receiveAudioLost,
    recvVideoPacketLost: quality.receiveVideoLost,
    averageAudioRtt: quality.audioRoundTripMs,
    averageVideoRtt: quality.videoRoundTripMs,
    averageAudioJitter: quality.sendAudioJitterMs,
    averageVideoJitter: quality.sendVideoJitterMs,
    averageSendAudioBitrate: quality.sendAudioBitrate,
    averageSendVideoBitrate: quality.sendVideoBitrate,
    averageRecvAudioBitrate: quality.receiveAudioBitrate,
    averageRecvVideoBitrate: quality.receiveVideoBitrate,
    qualityScore: { audio: quality.audioScore, video: quality.videoScore },
  }
}

export function toMediaSample(at: number, quality: Quality): MediaSample {
  const [audio, video] = [
    { roundTripMs: quality.audioRoundTripMs, score: quality.audioScore },
    { roundTripMs: quality.videoRoundTripMs, score: quality.videoScore },
  ]
  return {
    time: iso(at),
    send: {
      percentLost: quality.sendLinePercentLost,
      protocol: protocols[quality.sendProtocol ?? -1] ?? null,
      ice: iceStates[quality.sendIce ?? -1] ?? null,
      audio: {
        ...audio,
        bitrate: quality.sendAudioBitrate,
        packets: quality.sendAudioPackets,
        lost: quality.sendAudioLost,
        jitterMs: quality.sendAudioJitterMs,
      },
      video: {
        ...video,
        bitrate: quality.sendVideoBitrate,
        packets: quality.sendVideoPackets,
        lost: quality.sendVideoLost,
        jitterMs: quality.sendVideoJitterMs,
        height: quality.sendVideoHeight,
        cameraScore: quality.cameraScore,
      },
    },
    receive: {
      percentLost: quality.receiveLinePercentLost,
      protocol: protocols[quality.receiveProtocol ?? -1] ?? null,
      ice: iceStates[quality.receiveIce ?? -1] ?? null,
      availableBitrate: quality.receiveAvailableBitrate,
      audio: {
        ...audio,
        bitrate: quality.receiveAudioBitrate,
        packets: quality.receiveAudioPackets,
        lost: quality.receiveAudioLost,
      },
      video: {
        ...video,
        bitrate: quality.receiveVideoBitrate,
        packets: quality.receiveVideoPackets,
        lost: quality.receiveVideoLost,
        wanted: quality.videosWanted,
        held: quality.videosHeld,
        missing: quality.videosMissing,
        layer: quality.videoLayer,
        keyFramesAsked: quality.keyFramesAsked,
      },
    },
    device: {
      framesPercentDropped: quality.framesPercentDropped,
      encodesTooSlowly: quality.encodesTooSlowly === null ? null : quality.encodesTooSlowly > 0,
    },
    pathChanges: quality.pathChanges,
    worker: {
      index: quality.worker,
      losses: quality.workerLosses,
      answerMs: quality.workerAnswerMs,
    },
    eventLoopLagMs: quality.eventLoopLagMs,
  }
}

export function toResolution({
  at,
  figures,
}: StatsRecord): Static<typeof ParticipantStats>['resolutionUsage'] {
  const height = qualityFrom(figures).sendVideoHeight
  if (height === null) return []
  const nearest = resolutions.reduce((best, one) =>
    Math.abs(Number(one) - height) < Math.abs(Number(best) - height) ? one : best,
  )
  const shares = Object.fromEntries(resolutions.map((one) => [one, one === nearest ? 1 : 0]))
  return [{ time: iso(at), ...(shares as Record<(typeof resolutions)[number], number>) }]
}

/** Reads the client's own description of itself, which may contain anything. */
export function deviceOf(device: Record<string, unknown> | null) {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const inside = (value: unknown): Record<string, unknown> =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  const browser = inside(inside(device?.browserUserAgent).browser)
  return {
    deviceInfo: { deviceName: text(browser.name), deviceVersion: text(browser.version) },
    sdkInfo: { sdkName: text(device?.sdkType), sdkVersion: text(device?.sdkVersion) },
  }
}
