/** Measures how well media flows to and from participants. */
import type { StreamStats, Transport, TransportStats } from '../../media/sfu.ts'
import type { StatsRecord, Store, UsageAddition } from '../../store/store.ts'
import type { Participant } from '../roster/participant.ts'
import { dayOf } from '../../protocol/days.ts'
import { mediaOf, type LiveConsumer, type LiveProducer, type ParticipantMedia } from './participant-media.ts'
import {
  deltaOf,
  figuresOf,
  flowOf,
  iceStates,
  protocols,
  qualityFrom,
  qualityOf,
  type Circumstances,
  type Delta,
  type Flow,
  type Measured,
  type Quality,
} from './quality.ts'

/** The meeting whose participants are measured. */
export interface Measurable {
  sessionId: string | undefined
  roster: { joined(): readonly Participant[] }
  /** Whose media was lost with a worker, and how often; those who are measured are taken out. */
  media: { workerLosses: Map<string, number> }
}

export interface Measuring {
  now: () => number
  /** The most by which the event loop was late since the previous measurement. */
  eventLoopLagMs: number
}

/** The last measurement of each stream. */
const measured = new WeakMap<LiveProducer | LiveConsumer, StreamStats>()
/** The address from which the media of each transport came last. */
const addresses = new WeakMap<Transport, string>()
/** What each transport had carried at the last measurement. */
const carried = new WeakMap<Transport, TransportStats>()

export interface MeasuredMeeting {
  records: StatsRecord[]
  /** What was carried since the previous measurement. */
  traffic: UsageAddition[]
}

/** Measures all participants of these meetings once, and writes down what came of it. */
export async function measureEach(
  meetings: Iterable<Promise<{ measure(eventLoopLagMs: number): Promise<MeasuredMeeting> }>>,
  { figures: stored, usage }: Pick<Store, 'figures' | 'usage'>,
  eventLoopLagMs: number,
): Promise<Flow> {
  const all: Quality[] = []
  const carried: UsageAddition[] = []
  // One meeting after the other, so that a thousand participants are not queried at once.
  for (const opening of [...meetings]) {
    const { records, traffic } = await (await opening).measure(eventLoopLagMs)
    carried.push(...traffic)
    await stored.addStats(records)
    all.push(...records.map(({ figures }) => qualityFrom(figures)))
  }
  await usage.add(carried)
  return flowOf(all)
}

/** Measures all participants once. Relay guests have no media of their own. */
export async function measureAll(
  { sessionId, roster, media: { workerLosses } }: Measurable,
  measuring: Measuring,
): Promise<MeasuredMeeting> {
  if (sessionId === undefined) return { records: [], traffic: [] }
  const at = measuring.now()
  const traffic: UsageAddition[] = []
  const records = await Promise.all(
    roster.joined().map(async (participant): Promise<StatsRecord[]> => {
      if (participant.relayed) return []
      const { id: participantId } = participant
      try {
        const { quality, receivedBytes, sentBytes } = await measure(participant, {
          ...measuring,
          workerLosses: workerLosses.get(participantId) ?? 0,
        })
        const { projectId, apiKey } = participant.grant
        traffic.push({ day: dayOf(at), projectId, apiKey, receivedBytes, sentBytes })
        workerLosses.delete(participantId)
        return [{ sessionId, participantId, at, figures: figuresOf(quality) }]
      } catch {
        // It left, or its worker died, while it was measured.
        return []
      }
    }),
  )
  return { records: records.flat(), traffic }
}

/**
 * Asks for the participant's own streams, its transports and one stream of each kind that it receives, however many there
 * are: those share one network path.
 */
export async function measure(
  { media }: Pick<Participant, 'media'>,
  { now, eventLoopLagMs, workerLosses }: Measuring & { workerLosses: number },
): Promise<{ quality: Quality; receivedBytes: number; sentBytes: number }> {
  const send: Measured['send'] = {}
  const receive: Measured['receive'] = {}
  let sendVideoHeight: number | null = null
  let keyFramesAsked: number | null = null
  const sent = [...media.producers.values()].filter(({ kind }) => kind === 'audio' || kind === 'video')
  const flowing = [...media.consumers.values()].filter(
    (live) => !live.pausedByClient && !live.pausedByServer && !live.consumer.producerPaused,
  )
  const samples = (['audio', 'video'] as const).map((kind) =>
    flowing.find((live) => mediaOf(live.kind) === kind),
  )
  const device = media.takeDevice()
  const askedAt = now()
  const [lines] = await Promise.all([
    linesOf(media),
    ...sent.map(async (live) => {
      const stats = await live.producer.stats()
      send[mediaOf(live.kind)] = sinceLast(live, stats)
      if (live.kind === 'video') sendVideoHeight = heightOf(live, stats)
    }),
    ...samples.map(async (live) => {
      if (!live) return
      const delta = sinceLast(live, await live.consumer.stats())
      const alike = flowing.filter(({ kind }) => mediaOf(kind) === mediaOf(live.kind)).length
      receive[mediaOf(live.kind)] = { ...delta, bitrate: delta.bitrate * alike }
      if (mediaOf(live.kind) === 'video') keyFramesAsked = delta.keyFramesAsked
    }),
  ])
  media.quality = qualityOf({
    send,
    receive,
    receiveBitrate: lines.receive?.sendBitrate ?? 0,
    sendVideoHeight,
    circumstances: {
      ...circumstancesOf(media, lines),
      ...picturesOf(media, flowing),
      keyFramesAsked,
      workerLosses,
      workerAnswerMs: Math.max(0, now() - askedAt),
      eventLoopLagMs,
      framesPercentDropped: device?.framesPercentDropped ?? null,
      encodesTooSlowly: device ? Number(device.encodesTooSlowly) : null,
    },
  })
  return { quality: media.quality, ...trafficOf(media, lines) }
}

interface Lines {
  send: TransportStats | undefined
  receive: TransportStats | undefined
}

async function linesOf(media: ParticipantMedia): Promise<Lines> {
  const [send, receive] = await Promise.all([
    media.transport('send')?.stats(),
    media.transport('receive')?.stats(),
  ])
  return { send, receive }
}

function trafficOf(media: ParticipantMedia, lines: Lines): { receivedBytes: number; sentBytes: number } {
  let [receivedBytes, sentBytes] = [0, 0]
  for (const direction of ['send', 'receive'] as const) {
    const [transport, now] = [media.transport(direction), lines[direction]]
    if (!transport || !now) continue
    const before = carried.get(transport)
    carried.set(transport, now)
    receivedBytes += Math.max(0, now.receiveBytes - (before?.receiveBytes ?? 0))
    sentBytes += Math.max(0, now.sendBytes - (before?.sendBytes ?? 0))
  }
  return { receivedBytes, sentBytes }
}

const percent = (share: number | null | undefined): number | null =>
  typeof share === 'number' ? share * 100 : null

function circumstancesOf(media: ParticipantMedia, lines: Lines) {
  const [send, receive] = [media.transport('send'), media.transport('receive')]
  const protocolOf = (transport: Transport | undefined): number | null => {
    const pair = transport?.line.selectedPair
    return pair ? protocols.indexOf(pair.protocol) : null
  }
  const iceOf = (transport: Transport | undefined): number | null =>
    transport ? iceStates.indexOf(transport.line.ice) : null
  return {
    sendLinePercentLost: percent(lines.send?.lostReceiving),
    receiveLinePercentLost: percent(lines.receive?.lostSending),
    receiveAvailableBitrate: lines.receive?.availableBitrate ?? null,
    receiveReportBitrate: lines.receive?.receiveBitrate ?? null,
    sendProtocol: protocolOf(send),
    receiveProtocol: protocolOf(receive),
    sendIce: iceOf(send),
    receiveIce: iceOf(receive),
    pathChanges: [send, receive].filter((transport) => transport && hasMoved(transport)).length,
    worker: (receive ?? send)?.worker ?? null,
  } satisfies Partial<Circumstances>
}

/** Whether media comes from another address than at the previous measurement. */
function hasMoved(transport: Transport): boolean {
  const pair = transport.line.selectedPair
  if (!pair) return false
  const address = `${pair.protocol} ${pair.remoteAddress ?? ''} ${pair.remotePort ?? ''}`
  const before = addresses.get(transport)
  addresses.set(transport, address)
  return before !== undefined && before !== address
}

function picturesOf(media: ParticipantMedia, flowing: readonly LiveConsumer[]) {
  const camera = [...media.producers.values()].find(
    ({ kind, producer }) => kind === 'video' && !producer.paused,
  )
  const pictures = flowing.filter(({ kind, offered }) => mediaOf(kind) === 'video' && !offered)
  const missing = pictures.filter(({ consumer }) => consumer.scores.producerScore === 0)
  // A picture with one layer has no layers, and is never held back.
  const held = pictures.filter(
    ({ consumer }) =>
      consumer.type !== 'simple' && consumer.layers === null && consumer.scores.producerScore > 0,
  )
  const layers = pictures.flatMap(({ consumer }) => consumer.layers?.spatialLayer ?? [])
  return {
    cameraScore: camera && camera.producer.scores.length > 0 ? Math.max(...camera.producer.scores) : null,
    videosWanted: pictures.length,
    videosHeld: held.length,
    videosMissing: missing.length,
    videoLayer: layers.length > 0 ? layers.reduce((sum, layer) => sum + layer, 0) / layers.length : null,
  } satisfies Partial<Circumstances>
}

function sinceLast(
  live: LiveProducer | LiveConsumer,
  stats: StreamStats,
): Delta & { keyFramesAsked: number } {
  const before = measured.get(live)
  measured.set(live, stats)
  return {
    ...deltaOf(stats, before),
    keyFramesAsked: Math.max(0, stats.keyFramesAsked - (before?.keyFramesAsked ?? 0)),
  }
}

/** Lines of the highest active encoding of a camera, if its client described its encodings. */
function heightOf({ appData }: LiveProducer, { activeEncodings }: StreamStats): number | null {
  const { height, encodings } = appData
  if (typeof height !== 'number' || activeEncodings === 0) return null
  const encoding: unknown = Array.isArray(encodings) ? encodings[activeEncodings - 1] : undefined
  const { scaleResolutionDownBy = 1 } = (encoding ?? {}) as { scaleResolutionDownBy?: unknown }
  return typeof scaleResolutionDownBy === 'number' && scaleResolutionDownBy >= 1
    ? Math.round(height / scaleResolutionDownBy)
    : height
}
