/** The interface of a meeting for its members, whoever runs the meeting. */
import type { RtpCapabilities, RtpParameters } from '../../../src/protocol/media.ts'
import type { RemoteTransport } from '../../../src/rtc/peer.ts'
import type { Media } from '../../../src/load/streams.ts'

export interface Offered {
  id: string
  owner: string
  media: Media
  rtpParameters: RtpParameters
}

/** Null: nothing is sent. */
export type Layer = number | null

export interface PlaceEvents {
  /** The stream may flow when the promise resolves. */
  onStream: (stream: Offered) => Promise<void>
  /** The layer that is sent from now on. */
  onLayer: (id: string, layer: Layer) => void
}

/** One member's place in a meeting. */
export interface Place {
  readonly send: RemoteTransport
  readonly receive: RemoteTransport
  connect(transport: RemoteTransport, dtlsParameters: object): Promise<void>
  produce(media: Media, rtpParameters: RtpParameters): Promise<void>
  /** Requests a video in a size from 0 to 2. */
  prefer(id: string, layer: number): Promise<void>
}

export interface Meeting {
  readonly capabilities: RtpCapabilities
  /** Resolves when the member is inside; from then on it is offered the streams of others. */
  enter(name: string, rtpCapabilities: RtpCapabilities, events: PlaceEvents): Promise<Place>
  close(): Promise<void>
}
