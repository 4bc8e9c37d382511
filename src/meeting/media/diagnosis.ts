/**
 * Why media stood still or broke up for a participant, from the measurements of a session. Looks at the server first, then
 * at the lines of those who send, then at the participant's own line, then at devices: each would make the next look bad.
 */
import { iceStates, type Quality } from './quality.ts'

export interface Measurement {
  participantId: string
  at: number
  quality: Quality
}

export type Cause = 'server' | 'sender-line' | 'receiver-line' | 'device'

/** What a diagnosis follows from; the worst value of a stretch. */
export interface Evidence {
  workerLosses?: number
  workerAnswerMs?: number
  eventLoopLagMs?: number
  /** Participants on the same worker who lost packets at once, of those measured. */
  participantsHit?: number
  participantsMeasured?: number
  sendPercentLost?: number
  /** The camera was on, and nothing of it arrived. */
  cameraScore?: number
  receivePercentLost?: number
  videosHeld?: number
  videosMissing?: number
  videosWanted?: number
  receiveAvailableBitrate?: number
  /** 0: the client was silent. */
  receiveReportBitrate?: number
  /** An index into `iceStates`. */
  ice?: number
  keyFramesAsked?: number
  framesPercentDropped?: number
  /** 1: the processor was too busy to send more. */
  encodesTooSlowly?: number
}

/** A time in which media was bad for one reason. */
export interface Stretch {
  /** Ms since the epoch. */
  from: number
  to: number
  cause: Cause
  /** Whose line or device it was; null if it was the server. */
  participantId: string | null
  evidence: Evidence
  sentence: string
}

interface Finding {
  cause: Cause
  participantId: string | null
  evidence: Evidence
  /** Nobody else received badly. */
  isAlone?: boolean
}

/** From this loss on, pictures freeze and voices break up. */
const BAD_PERCENT = 5
/** Few packets say nothing about a share. */
const FEW_PACKETS = 20
/** Later than this, people notice. */
const STALL_MS = 1000
/** A client asks once or twice for a key frame when a picture begins. */
const MANY_KEY_FRAMES = 4
/** Fewer dropped frames are not seen as standing still. */
const MANY_FRAMES_PERCENT = 20
/** A voice alone, in one measurement. */
const VOICE_PACKETS = 50
const FEW_PARTICIPANTS = 3
/** A good measurement between two bad ones does not end a stretch. */
const GAP = 2.5
/** The usual time between measurements, where only one is known. */
const INTERVAL_MS = 10_000

/** Whether something may be wrong for a participant; only then the measurements of the others are needed. */
export function isSuspicious(quality: Quality): boolean {
  return (
    Object.keys(stallsOf(quality)).length > 0 ||
    sendingOf(quality) !== undefined ||
    Object.keys(receivingOf(quality)).length > 0 ||
    streamLoss(quality) >= BAD_PERCENT ||
    (quality.videosMissing ?? 0) > 0 ||
    Object.keys(deviceOf(quality)).length > 0
  )
}

/**
 * @param own the participant's measurements, oldest first
 * @param others those of the other participants at the instants at which something is suspicious
 * @param nameOf the name to show for a participant
 */
export function diagnose(
  own: readonly Measurement[],
  others: readonly Measurement[],
  nameOf: (participantId: string) => string,
): Stretch[] {
  const together = Map.groupBy(others, ({ at }) => at)
  const intervalMs = usualInterval(own)
  const stretches: (Omit<Stretch, 'sentence'> & { times: number; isAlone: boolean })[] = []
  own.forEach((one, index) => {
    const finding = findingAt(one, together.get(one.at) ?? [])
    if (!finding) return
    const { cause, participantId, evidence, isAlone = false } = finding
    const last = stretches.at(-1)
    if (
      last?.cause === cause &&
      last.participantId === participantId &&
      one.at - last.to <= GAP * intervalMs
    ) {
      last.to = one.at
      last.times++
      last.evidence = worse(last.evidence, evidence)
      last.isAlone &&= isAlone
      return
    }
    const before = own[index - 1]?.at ?? -Infinity
    const from = Math.max(before, one.at - intervalMs)
    stretches.push({ from, to: one.at, cause, participantId, evidence, times: 1, isAlone })
  })
  const whom = own[0]?.participantId ?? ''
  return stretches.filter(lasts).map(({ times: _, isAlone, ...stretch }) => ({
    ...stretch,
    sentence: sentenceOf(stretch, { whom, nameOf, isAlone }),
  }))
}

/** What also happens for a moment when a picture begins. */
const OF_BEGINNINGS: readonly (keyof Evidence)[] = [
  'videosHeld',
  'videosMissing',
  'videosWanted',
  'receiveAvailableBitrate',
  'keyFramesAsked',
  'cameraScore',
  'encodesTooSlowly',
]

function lasts({ times, evidence }: { times: number; evidence: Evidence }): boolean {
  return times > 1 || Object.keys(evidence).some((name) => !OF_BEGINNINGS.includes(name as keyof Evidence))
}

function findingAt(target: Measurement, others: readonly Measurement[]): Finding | undefined {
  const { quality, participantId } = target
  const stalls = { ...stallsOf(quality), ...hitTogether(target, others) }
  if (Object.keys(stalls).length > 0) return { cause: 'server', participantId: null, evidence: stalls }

  const sending = sendingOf(quality)
  if (sending?.cause === 'sender-line') return { ...sending, participantId }
  const line = receivingOf(quality)
  const isLineGood = Object.keys(line).length === 0
  const isBroken = streamLoss(quality) >= BAD_PERCENT || (quality.videosMissing ?? 0) > 0
  const senders = isBroken && isLineGood ? others.flatMap(senderAt) : []
  const worst = senders.toSorted((one, other) => badness(other) - badness(one))[0]
  if (worst?.cause === 'sender-line') return worst

  if (!isLineGood) {
    const isAlone =
      others.length > 0 && others.every((one) => Object.keys(receivingOf(one.quality)).length === 0)
    return { cause: 'receiver-line', participantId, evidence: line, isAlone }
  }
  if (sending) return { ...sending, participantId }
  if (worst) return worst
  const device = deviceOf(quality)
  if (Object.keys(device).length === 0) return undefined
  const plays = device.keyFramesAsked === undefined && device.framesPercentDropped === undefined
  const evidence = { ...device, ...(!plays && { receivePercentLost: lineLoss(quality) }) }
  return { cause: 'device', participantId, evidence }
}

/** What a participant's own device did not manage; empty if nothing is known of it. */
function deviceOf({ keyFramesAsked, framesPercentDropped, encodesTooSlowly }: Quality): Evidence {
  return {
    ...((keyFramesAsked ?? 0) >= MANY_KEY_FRAMES && { keyFramesAsked: keyFramesAsked! }),
    ...((framesPercentDropped ?? 0) >= MANY_FRAMES_PERCENT && {
      framesPercentDropped: framesPercentDropped!,
    }),
    ...(encodesTooSlowly === 1 && { encodesTooSlowly }),
  }
}

const badness = ({ cause, evidence }: Finding): number =>
  cause === 'sender-line' ? 1 + (evidence.sendPercentLost ?? 100) : 0

function senderAt({ participantId, quality }: Measurement): Finding[] {
  const sending = sendingOf(quality)
  return sending ? [{ ...sending, participantId }] : []
}

function stallsOf({ workerLosses, workerAnswerMs, eventLoopLagMs }: Quality): Evidence {
  if ((workerLosses ?? 0) > 0) return { workerLosses: workerLosses! }
  if ((eventLoopLagMs ?? 0) >= STALL_MS) return { eventLoopLagMs: eventLoopLagMs! }
  return (workerAnswerMs ?? 0) >= STALL_MS ? { workerAnswerMs: workerAnswerMs! } : {}
}

/** Most of those on one worker lose packets at once: their lines have only the server in common. */
function hitTogether(target: Measurement, others: readonly Measurement[]): Evidence {
  const { worker } = target.quality
  if (worker === null || !isHit(target)) return {}
  const measured = [target, ...others.filter(({ quality }) => quality.worker === worker)]
  const hit = measured.filter(isHit).length
  return measured.length >= FEW_PARTICIPANTS && hit > measured.length / 2
    ? { participantsHit: hit, participantsMeasured: measured.length }
    : {}
}

const isHit = ({ quality }: Measurement): boolean =>
  sendLoss(quality) >= BAD_PERCENT || (quality.receiveLinePercentLost ?? 0) >= BAD_PERCENT

/** What is wrong with what a participant sends: its line, or its device. */
function sendingOf(quality: Quality): Pick<Finding, 'cause' | 'evidence'> | undefined {
  const sendPercentLost = sendLoss(quality)
  if (sendPercentLost >= BAD_PERCENT) return { cause: 'sender-line', evidence: { sendPercentLost } }
  if (isGone(quality.sendIce)) return { cause: 'sender-line', evidence: { ice: quality.sendIce! } }
  if (quality.cameraScore !== 0) return undefined
  // If a voice arrives without loss, the line is there, and the picture was not sent.
  const speaks = (quality.sendAudioPackets ?? 0) >= VOICE_PACKETS
  const evidence = { cameraScore: 0, ...(speaks && { sendPercentLost }) }
  return { cause: speaks ? 'device' : 'sender-line', evidence }
}

/** What is wrong with the line to a participant; empty if nothing is. */
function receivingOf(quality: Quality): Evidence {
  const { videosHeld, videosWanted, receiveAvailableBitrate, receiveReportBitrate, receiveIce } = quality
  const receivePercentLost = lineLoss(quality)
  const isSent = ((quality.receiveAudioPackets ?? 0) || (quality.receiveVideoPackets ?? 0)) > 0
  return {
    ...(receivePercentLost >= BAD_PERCENT && { receivePercentLost }),
    ...((videosHeld ?? 0) > 0 && {
      videosHeld: videosHeld!,
      videosWanted: videosWanted ?? videosHeld!,
      ...(receiveAvailableBitrate !== null && { receiveAvailableBitrate }),
    }),
    ...(isSent && receiveReportBitrate === 0 && { receiveReportBitrate }),
    ...(isGone(receiveIce) && { ice: receiveIce! }),
  }
}

const isGone = (ice: number | null): boolean => ice === iceStates.indexOf('disconnected')

function share(lost: number | null, packets: number | null): number {
  const all = (packets ?? 0) + (lost ?? 0)
  return all < FEW_PACKETS ? 0 : (100 * (lost ?? 0)) / all
}

function sendLoss(quality: Quality): number {
  const { sendAudioLost, sendAudioPackets, sendVideoLost, sendVideoPackets } = quality
  return Math.max(share(sendAudioLost, sendAudioPackets), share(sendVideoLost, sendVideoPackets))
}

/** Of what a participant receives, with what was lost on the way to the server. */
function streamLoss(quality: Quality): number {
  const { receiveAudioLost, receiveAudioPackets, receiveVideoLost, receiveVideoPackets } = quality
  return Math.max(share(receiveAudioLost, receiveAudioPackets), share(receiveVideoLost, receiveVideoPackets))
}

/** On the way from the server to the participant. A client without reports of congestion has its streams alone. */
function lineLoss(quality: Quality): number {
  return quality.receiveLinePercentLost ?? streamLoss(quality)
}

function usualInterval(own: readonly Measurement[]): number {
  const spans = own.slice(1).map(({ at }, index) => at - own[index]!.at)
  return spans.toSorted((one, other) => one - other)[Math.floor(spans.length / 2)] ?? INTERVAL_MS
}

/** The less of these, the worse. */
const LOW_IS_BAD: readonly (keyof Evidence)[] = ['receiveAvailableBitrate']

function worse(one: Evidence, other: Evidence): Evidence {
  const worst = { ...one }
  for (const [name, value] of Object.entries(other) as [keyof Evidence, number][]) {
    const pick = LOW_IS_BAD.includes(name) ? Math.min : Math.max
    worst[name] = pick(worst[name] ?? value, value)
  }
  return worst
}

const percentOf = (value: number): string =>
  `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} %`
const secondsOf = (ms: number): string => `${Math.round(ms / 100) / 10} s`

interface Names {
  /** Whose diagnosis it is. */
  whom: string
  nameOf: (participantId: string) => string
  isAlone: boolean
}

function sentenceOf({ cause, participantId, evidence }: Omit<Stretch, 'sentence'>, names: Names): string {
  const whom = names.nameOf(names.whom)
  const who = participantId === null ? '' : names.nameOf(participantId)
  if (cause === 'server') return ofServer(evidence, whom)
  if (cause === 'receiver-line') {
    const alone = names.isAlone ? ' Nobody else received badly.' : ''
    return `The line of ${who} was bad: ${ofReceiving(evidence)}.${alone}`
  }
  const seen = participantId === names.whom ? '' : `, and ${whom} received that`
  if (cause === 'sender-line') return `The line of ${who} was bad: ${ofSending(evidence)}${seen}.`
  return evidence.cameraScore === undefined
    ? ofDevice(evidence, who)
    : `The camera of ${who} was on, but their device sent no picture, although their voice arrived${seen}.`
}

function ofDevice({ keyFramesAsked, framesPercentDropped }: Evidence, who: string): string {
  const noLoss = 'although next to nothing was lost on its line'
  if (framesPercentDropped !== undefined)
    return `The device of ${who} was too slow: it did not show up to ${percentOf(framesPercentDropped)} of the frames of a picture, ${noLoss}.`
  if (keyFramesAsked !== undefined)
    return `The device of ${who} could not play what it received: it asked for a new picture ${keyFramesAsked} times in one measurement, ${noLoss}.`
  return `The device of ${who} was too slow: its processor was too busy to send the picture as large as its line allows.`
}

function ofServer(evidence: Evidence, whom: string): string {
  const { workerLosses, eventLoopLagMs, workerAnswerMs, participantsHit, participantsMeasured } = evidence
  if (workerLosses !== undefined)
    return `The server was the cause: a media worker died and was replaced, and the media of ${whom} was set up again.`
  if (eventLoopLagMs !== undefined)
    return `The server was the cause: it was overloaded, and its event loop was up to ${secondsOf(eventLoopLagMs)} late.`
  if (workerAnswerMs !== undefined)
    return `The server was the cause: the media worker of ${whom} was overloaded, and took up to ${secondsOf(workerAnswerMs)} to answer.`
  return `The server or its network was the cause: ${participantsHit} of ${participantsMeasured} participants on one media worker lost packets at once.`
}

function ofSending({ sendPercentLost, ice }: Evidence): string {
  if (sendPercentLost !== undefined)
    return `up to ${percentOf(sendPercentLost)} of the packets that they sent were lost`
  return ice === undefined
    ? 'nothing of their picture arrived'
    : 'the connection on which they send was interrupted'
}

function ofReceiving(evidence: Evidence): string {
  const { receivePercentLost, videosHeld, videosWanted, receiveAvailableBitrate } = evidence
  const parts = []
  if (receivePercentLost !== undefined)
    parts.push(`up to ${percentOf(receivePercentLost)} of the packets sent to them were lost`)
  if (videosHeld !== undefined) {
    const room =
      receiveAvailableBitrate === undefined
        ? ''
        : `, because the line took only ${Math.round(receiveAvailableBitrate / 1000)} kbit/s`
    parts.push(`up to ${videosHeld} of ${videosWanted} pictures were held back${room}`)
  }
  if (parts.length > 0) return parts.join(', and ')
  return evidence.ice === undefined
    ? 'their device answered nothing of what was sent to it'
    : 'the connection on which they receive was interrupted'
}
