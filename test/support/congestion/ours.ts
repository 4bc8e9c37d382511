/** A meeting on our server, joined as our own client joins it. */
import type { RtpCapabilities } from '../../../src/protocol/media.ts'
import { RealServer } from '../real-server.ts'
import { signAnything } from '../test-server.ts'
import { WireClient, type Heard } from '../wire-client.ts'
import type { Meeting, Offered, Place } from './place.ts'

export interface OurMeeting extends Meeting {
  /** Asks the REST API of its server. */
  get<T>(path: string): Promise<T>
}

export async function ourMeeting(env: NodeJS.ProcessEnv = {}): Promise<OurMeeting> {
  const server = await RealServer.start({ MEDIA_WORKERS: '1', ...env })
  const meetingId = await server.createMeeting()
  const clients: WireClient[] = []

  function connect(participantId: string): WireClient {
    const client = new WireClient({
      url: server.url,
      token: signAnything({ apikey: 'test-key', permissions: ['allow_join'] }),
      meetingId,
      participantId,
      own: true,
    })
    clients.push(client)
    return client
  }

  const asker = connect('asker')
  await asker.enter()
  await asker.hears('entryResponded', ({ decision }) => decision === 'allowed')
  const capabilities: RtpCapabilities = await asker.request('getRouterRtpCapabilities')
  asker.close()

  return {
    capabilities,
    enter: async (name, rtpCapabilities, events): Promise<Place> => {
      const client = connect(name)
      await client.enter()
      await client.hears('entryResponded', ({ decision }) => decision === 'allowed')
      const [send, receive] = await Promise.all([
        client.request('createWebRtcTransport', { producing: true, consuming: false }),
        client.request('createWebRtcTransport', { producing: false, consuming: true }),
      ])
      client.socket.on('newConsumer', (payload: Offered & { peerId: string; kind: Offered['media'] }) => {
        void events.onStream({ ...payload, owner: payload.peerId, media: payload.kind })
      })
      client.socket.on('notification', (heard: Heard & { consumerId: string }) => {
        if (heard.method === 'consumerLayersChanged')
          events.onLayer(heard.consumerId, heard.spatialLayer as number | null)
      })
      const place: Place = {
        send,
        receive,
        connect: (transport, dtlsParameters) =>
          client.request('connectWebRtcTransport', { transportId: transport.id, dtlsParameters }),
        produce: (kind, rtpParameters) =>
          client.request('produce', { transportId: send.id, kind, rtpParameters, appData: {} }),
        prefer: (consumerId, spatialLayer) =>
          client.request('setConsumerPreferredLayers', { consumerId, spatialLayer, temporalLayer: 2 }),
      }
      await client.request('join', { rtpCapabilities, mode: 'SEND_AND_RECV', metaData: {} })
      return place
    },
    get: async <T>(path: string) => (await server.rest('GET', path)).body as T,
    close: async () => {
      for (const client of clients) client.close()
      await server.stop()
    },
  }
}
