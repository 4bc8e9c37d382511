/** The quality of media to and from one participant: figures at an instant, and a score. */
import type { StreamStats } from '../../media/sfu.ts'
import type { MediaKind } from '../../protocol/media.ts'

/**
 * The figures of one measurement, in this order; new ones are appended, because stored measurements have no names. Losses
 * are packets since the previous measurement.
 */
export const figureNames = [
  'sendAudioBitrate',
  'sendAudioLost',
  'sendAudioJitterMs',
  'sendVideoBitrate',
  'sendVideoLost',
  'sendVideoJitterMs',
  'receiveAudioBitrate',
  'receiveAudioLost',
  'receiveVideoBitrate',
  'receiveVideoLost',
  'audioRoundTripMs',
  'videoRoundTripMs',
  'audioScore',
  'videoScore',
  'sendVideoHeight',
  'sendAudioPackets',
  'sendVideoPackets',
  'receiveAudioPackets',
  'receiveVideoPackets',
  'sendLinePercentLost',
  'receiveLinePercentLost',
  'receiveAvailableBitrate',
  'receiveReportBitrate',
  'sendProtocol',
  'receiveProtocol',
  'sendIce',
  'receiveIce',
  'pathChanges',
  'cameraScore',
  'videosWanted',
  'videosHeld',
  'videosMissing',
  'videoLayer',
  'keyFramesAsked',
  'worker',
  'workerLosses',
  'workerAnswerMs',
  'eventLoopLagMs',
  'framesPercentDropped',
  'encodesTooSlowly',
] as const

/** The states of ICE and the protocols, by the number that stands for them in a measurement. */
export const iceStates = ['new', 'connected', 'completed', 'disconnected', 'closed'] as const
export const protocols = ['udp', 'tcp'] as const

/** Null if no such media flows or nothing is known yet. Bits per second, packets, ms, lines. */
export type Quality = Record<(typeof figureNames)[number], number | null>

/** The figures that say why a stream is bad, besides those of the streams themselves. */
export type Circumstances = Pick<
  Quality,
  /** Packets lost on the whole connection, in percent, without losses on the lines of others. */
  | 'sendLinePercentLost'
  | 'receiveLinePercentLost'
  /** The estimated capacity of the line to the client, in bits per second. */
  | 'receiveAvailableBitrate'
  /** What the client sends on the connection on which it receives: reports. 0 if it is silent. */
  | 'receiveReportBitrate'
  /** Indexes into `protocols` and `iceStates`. */
  | 'sendProtocol'
  | 'receiveProtocol'
  | 'sendIce'
  | 'receiveIce'
  /** How often media came from another address than before. */
  | 'pathChanges'
  /** From 0 (nothing arrives) to 10; null while the camera is off. */
  | 'cameraScore'
  /** Pictures that the client wants; those of them not sent although they arrive; those that do not arrive. */
  | 'videosWanted'
  | 'videosHeld'
  | 'videosMissing'
  /** The mean spatial layer of those that are sent, from 0. */
  | 'videoLayer'
  /** How often the client asked for a key frame, of one picture. */
  | 'keyFramesAsked'
  /** The index of its media worker. */
  | 'worker'
  /** How often its media worker died. */
  | 'workerLosses'
  /** How long the worker took to answer. */
  | 'workerAnswerMs'
  /** The most by which the event loop of the server was late. */
  | 'eventLoopLagMs'
  /** What the client told of its device: frames that arrived and were not shown; 1 if its processor was too busy to send more. */
  | 'framesPercentDropped'
  | 'encodesTooSlowly'
>

export interface Measured {
  send: Partial<Record<MediaKind, Delta>>
  receive: Partial<Record<MediaKind, Delta>>
  /** Bits per second of all that is received. */
  receiveBitrate: number
  sendVideoHeight: number | null
  circumstances: Circumstances
}

/** Changes of one or several streams of a kind between two measurements. */
export interface Delta {
  bitrate: number
  packets: number
  lost: number
  jitterMs: number | null
  roundTripMs: number | null
}

/** Changes of a stream between two measurements; before the second one, since its beginning. */
export function deltaOf(now: StreamStats, before: StreamStats | undefined): Delta {
  return {
    bitrate: now.bitrate,
    packets: Math.max(0, now.packets - (before?.packets ?? 0)),
    lost: Math.max(0, now.packetsLost - (before?.packetsLost ?? 0)),
    jitterMs: now.jitterMs,
    roundTripMs: now.roundTripMs,
  }
}

export function qualityOf({
  send,
  receive,
  receiveBitrate,
  sendVideoHeight,
  circumstances,
}: Measured): Quality {
  const audioIn = receive.audio?.bitrate ?? null
  const roundTrip = (kind: MediaKind): number | null =>
    receive[kind]?.roundTripMs ?? send[kind]?.roundTripMs ?? null
  return {
    sendAudioBitrate: send.audio?.bitrate ?? null,
    sendAudioLost: send.audio?.lost ?? null,
    sendAudioJitterMs: send.audio?.jitterMs ?? null,
    sendVideoBitrate: send.video?.bitrate ?? null,
    sendVideoLost: send.video?.lost ?? null,
    sendVideoJitterMs: send.video?.jitterMs ?? null,
    receiveAudioBitrate: audioIn,
    receiveAudioLost: receive.audio?.lost ?? null,
    receiveVideoBitrate: receive.video ? Math.max(0, receiveBitrate - (audioIn ?? 0)) : null,
    receiveVideoLost: receive.video?.lost ?? null,
    audioRoundTripMs: roundTrip('audio'),
    videoRoundTripMs: roundTrip('video'),
    audioScore: scoreOf([send.audio, receive.audio]),
    videoScore: scoreOf([send.video, receive.video]),
    sendVideoHeight,
    sendAudioPackets: send.audio?.packets ?? null,
    sendVideoPackets: send.video?.packets ?? null,
    receiveAudioPackets: receive.audio?.packets ?? null,
    receiveVideoPackets: receive.video?.packets ?? null,
    ...circumstances,
  }
}

/**
 * From 1 (unusable) to 4.5 (as good as it gets), the worse direction counting: the mean opinion score that the E-model
 * (ITU-T G.107, in its common short form) gives for delay, jitter and loss.
 */
function scoreOf(directions: readonly (Delta | undefined)[]): number | null {
  let worst: number | null = null
  for (const one of directions) {
    if (!one || one.packets + one.lost === 0) continue
    const delayMs = (one.roundTripMs ?? 0) / 2 + 2 * (one.jitterMs ?? 0) + 10
    const lossPercent = (100 * one.lost) / (one.packets + one.lost)
    const delayed = delayMs < 160 ? 93.2 - delayMs / 40 : 93.2 - (delayMs - 120) / 10
    const rating = Math.min(Math.max(delayed - 2.5 * lossPercent, 0), 100)
    const score = 1 + 0.035 * rating + 0.000007 * rating * (rating - 60) * (100 - rating)
    worst = Math.min(worst ?? 5, Math.max(1, Math.round(score * 100) / 100))
  }
  return worst
}

export function figuresOf(quality: Quality): (number | null)[] {
  return figureNames.map((name) => {
    const value = quality[name]
    return value === null ? null : Math.round(value * 100) / 100
  })
}

export function qualityFrom(figures: readonly (number | null)[]): Quality {
  return Object.fromEntries(figureNames.map((name, at) => [name, figures[at] ?? null])) as Quality
}

/** Media of the whole server: bits per second received and sent, and mean scores. */
export interface Flow {
  receiveBitrate: number
  sendBitrate: number
  audioScore: number | null
  videoScore: number | null
}

export function flowOf(all: readonly Quality[]): Flow {
  const sum = (...names: (keyof Quality)[]): number =>
    all.reduce((total, quality) => names.reduce((sub, name) => sub + (quality[name] ?? 0), total), 0)
  const mean = (name: keyof Quality): number | null => {
    const known = all.flatMap((quality) => quality[name] ?? [])
    return known.length === 0 ? null : known.reduce((total, one) => total + one, 0) / known.length
  }
  return {
    receiveBitrate: sum('sendAudioBitrate', 'sendVideoBitrate'),
    sendBitrate: sum('receiveAudioBitrate', 'receiveVideoBitrate'),
    audioScore: mean('audioScore'),
    videoScore: mean('videoScore'),
  }
}

/** The mean of several measurements at one instant, to hundredths; null if nothing is known. */
export function meanOf(all: readonly Quality[]): Quality {
  const mean = { ...all[0]! }
  for (const name of Object.keys(mean) as (keyof Quality)[]) {
    const known = all.map((one) => one[name]).filter((value) => value !== null)
    mean[name] =
      known.length === 0
        ? null
        : Math.round((known.reduce((sum, value) => sum + value, 0) / known.length) * 100) / 100
  }
  return mean
}
