/**
 * A meeting on mediasoup alone, built as its documentation shows: everybody consumes everything, with no further logic.
 */
import { createWorker, type types } from 'mediasoup'
import { locateWorker } from '../../../scripts/media-worker/locate.mjs'
import { routerCodecs } from '../../../src/media/mediasoup/codecs.ts'
import type { RtpCapabilities } from '../../../src/protocol/media.ts'
import type { RemoteTransport } from '../../../src/rtc/peer.ts'
import type { Meeting, Place, PlaceEvents } from './place.ts'

interface Member {
  name: string
  receive: types.WebRtcTransport
  rtpCapabilities: RtpCapabilities
  events: PlaceEvents
}

export async function bareMeeting(): Promise<Meeting> {
  const found = locateWorker()
  if (!found) throw new Error('There is no media worker on this machine: npm run worker')
  const worker = await createWorker({ workerBin: found.bin, logLevel: 'none' })
  const router = await worker.createRouter({ mediaCodecs: routerCodecs })
  const members: Member[] = []
  const producers: { owner: string; producer: types.Producer }[] = []

  async function offer(member: Member, owner: string, producer: types.Producer): Promise<void> {
    const consumer = await member.receive.consume({
      producerId: producer.id,
      rtpCapabilities: member.rtpCapabilities as types.RtpCapabilities,
      paused: true,
    })
    const { id, kind: media, rtpParameters } = consumer
    consumer.on('layerschange', (layers) => member.events.onLayer(id, layers?.spatialLayer ?? null))
    await member.events.onStream({
      id,
      owner,
      media,
      rtpParameters: rtpParameters as Parameters<PlaceEvents['onStream']>[0]['rtpParameters'],
    })
    await consumer.resume()
  }

  const transport = () =>
    router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] })

  return {
    capabilities: router.rtpCapabilities as RtpCapabilities,
    enter: async (name, rtpCapabilities, events): Promise<Place> => {
      const [send, receive] = [await transport(), await transport()]
      const member: Member = { name, receive, rtpCapabilities, events }
      members.push(member)
      const before = [...producers]
      const transports = new Map([send, receive].map((one) => [one.id, one]))
      setImmediate(() => {
        for (const { owner, producer } of before) void offer(member, owner, producer)
      })
      return {
        send: asRemote(send),
        receive: asRemote(receive),
        connect: (to, dtlsParameters) =>
          transports.get(to.id)!.connect({ dtlsParameters: dtlsParameters as types.DtlsParameters }),
        produce: async (media, rtpParameters) => {
          const producer = await send.produce({
            kind: media,
            rtpParameters: rtpParameters as types.RtpParameters,
          })
          producers.push({ owner: name, producer })
          for (const other of members) if (other !== member) void offer(other, name, producer)
        },
        // Without logic of ours, everybody is sent the best that the line carries.
        prefer: () => Promise.resolve(),
      }
    },
    close: () => {
      worker.close()
      return Promise.resolve()
    },
  }
}

function asRemote({
  id,
  iceParameters,
  iceCandidates,
  dtlsParameters,
}: types.WebRtcTransport): RemoteTransport {
  return {
    id,
    iceParameters,
    iceCandidates,
    dtlsParameters,
  }
}
