/** Measures how well media flows to and from participants. */
import type { StreamStats } from '../../media/sfu.ts'
import type { StatsRecord } from '../../store/store.ts'
import type { Participant } from '../roster/participant.ts'
import { mediaOf, type LiveConsumer, type LiveProducer } from './participant-media.ts'
import { deltaOf, figuresOf, qualityOf, type Delta, type Measured, type Quality } from './quality.ts'

/** The last measurement of each stream. */
const measured = new WeakMap<LiveProducer | LiveConsumer, StreamStats>()

/** Measures these participants once. Relay guests have no media of their own. */
export async function measureAll(
  participants: readonly Participant[],
  sessionId: string,
  at: number,
): Promise<StatsRecord[]> {
  const records = await Promise.all(
    participants.map(async (participant): Promise<StatsRecord[]> => {
      if (participant.relayed) return []
      try {
        const figures = figuresOf(await measure(participant))
        return [{ sessionId, participantId: participant.id, at, figures }]
      } catch {
        // It left, or its worker died, while it was measured.
        return []
      }
    }),
  )
  return records.flat()
}

/**
 * Asks for the participant's own streams, its receiving transport and one stream of each kind that it receives, however many
 * there are: those share one network path.
 */
export async function measure({ media }: Participant): Promise<Quality> {
  const send: Measured['send'] = {}
  const receive: Measured['receive'] = {}
  let sendVideoHeight: number | null = null
  const sent = [...media.producers.values()].filter(({ kind }) => kind === 'audio' || kind === 'video')
  const flowing = [...media.consumers.values()].filter(
    (live) => !live.pausedByClient && !live.pausedByServer && !live.consumer.producerPaused,
  )
  const samples = (['audio', 'video'] as const).map((kind) =>
    flowing.find((live) => mediaOf(live.kind) === kind),
  )
  const [transport] = await Promise.all([
    media.transport('receive')?.stats(),
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
    }),
  ])
  media.quality = qualityOf({
    send,
    receive,
    receiveBitrate: transport?.sendBitrate ?? 0,
    sendVideoHeight,
  })
  return media.quality
}

function sinceLast(live: LiveProducer | LiveConsumer, stats: StreamStats): Delta {
  const delta = deltaOf(stats, measured.get(live))
  measured.set(live, stats)
  return delta
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
