/** The state of a member's media, to diagnose faults. Read-only. */
import type { MemberInspection } from '../../protocol/rest/debug.ts'
import type { Participant } from '../roster/participant.ts'

export async function inspectMember({
  id,
  name,
  mode,
  joined,
  kind,
  media,
}: Participant): Promise<MemberInspection> {
  const transports = await Promise.all(
    [...media.transports.values()].map(async ({ transport, direction }) => {
      // A transport that closes in the meantime sends nothing.
      const stats = await transport.stats().catch(() => undefined)
      return {
        transportId: transport.id,
        direction,
        worker: transport.worker,
        ...transport.line,
        fromClientBitrate: stats?.receiveBitrate ?? 0,
        toClientBitrate: stats?.sendBitrate ?? 0,
      }
    }),
  )
  return {
    memberId: id,
    kind,
    name,
    mode,
    joined,
    transports,
    producers: [...media.producers.values()].map(({ producer, kind }) => ({
      producerId: producer.id,
      kind,
      paused: producer.paused,
      scores: [...producer.scores],
    })),
    consumers: [...media.consumers.values()].map(
      ({ consumer, ownerId, kind, offered, pausedByClient, pausedByServer }) => ({
        consumerId: consumer.id,
        producerId: consumer.producerId,
        ownerId,
        kind,
        paused: { byProducer: consumer.producerPaused, byClient: pausedByClient, byServer: pausedByServer },
        offered,
        ...consumer.scores,
        layers: consumer.layers && {
          spatial: consumer.layers.spatialLayer,
          temporal: consumer.layers.temporalLayer ?? null,
        },
      }),
    ),
    dataProducers: media.dataProducers.size,
    dataConsumers: media.dataConsumers.size,
  }
}
