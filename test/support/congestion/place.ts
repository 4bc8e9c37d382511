/** What a member of a meeting needs of it, whoever runs the meeting. */
import type { RtpCapabilities, RtpParameters } from '../../../src/protocol/media.ts'
import type { RemoteTransport } from '../../../src/load/peer.ts'
import type { Media } from '../../../src/load/streams.ts'

export interface Offered {
  id: string
  owner: string
  media: Media
  rtpParameters: RtpParameters
}

/** Null: none is sent. */
export type Layer = number | null

export interface PlaceEvents {
  /** When it resolves, the stream may flow. */
  onStream: (stream: Offered) => Promise<void>
  /** The layer that is sent of it from now on. */
  onLayer: (id: string, layer: Layer) => void
}

/** One member's place in a meeting. */
export interface Place {
  readonly send: RemoteTransport
  readonly receive: RemoteTransport
  connect(transport: RemoteTransport, dtlsParameters: object): Promise<void>
  produce(media: Media, rtpParameters: RtpParameters): Promise<void>
  /** The size in which it shows a picture, from 0 to 2. */
  prefer(id: string, layer: number): Promise<void>
}

export interface Meeting {
  readonly capabilities: RtpCapabilities
  /** Resolves when it is inside; what others send is offered from then on. */
  enter(name: string, rtpCapabilities: RtpCapabilities, events: PlaceEvents): Promise<Place>
  close(): Promise<void>
}
