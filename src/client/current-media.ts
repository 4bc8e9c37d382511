/** The media of a meeting. It is made anew for each connection, and whenever the server's media is replaced. */
import type { Devices } from './devices.ts'
import type { Timings } from './events.ts'
import { Media, type MediaOptions } from './media.ts'
import type { Roster } from './roster.ts'

/** How long a replaced media server may take to say so. */
const REPLACEMENT_MS = 5000

export interface CurrentMediaOptions extends Pick<MediaOptions, 'request' | 'iceServers' | 'newDevice'> {
  devices: Devices
  roster: Roster
  timings: Timings
  isJoined: () => boolean
  /** The media cannot go on over this connection. */
  renewConnection: () => void
}

export class CurrentMedia {
  readonly #options: CurrentMediaOptions
  #media: Media

  constructor(options: CurrentMediaOptions) {
    this.#options = options
    this.#media = this.#create()
  }

  /** Another one after each `renew()`. */
  get now(): Media {
    return this.#media
  }

  /** Whether this media is still the one, and open. */
  isCurrent(media: Media): boolean {
    return media === this.#media && !media.closed
  }

  /** Ends what was sent and received. Own devices stay open for the next. */
  close(): void {
    this.#options.devices.detach()
    this.#media.close()
  }

  renew(): Media {
    this.close()
    return (this.#media = this.#create())
  }

  /** The server replaced its media worker: the connection goes on with new media. */
  async rebuild(): Promise<void> {
    const { request, devices, renewConnection } = this.#options
    const media = this.renew()
    try {
      await media.open()
      await request('rejoinMedia', { rtpCapabilities: media.rtpCapabilities })
      if (media === this.#media) devices.attach(media)
    } catch (error) {
      if (!this.isCurrent(media)) return
      console.error(error)
      renewConnection()
    }
  }

  #create(): Media {
    const { request, iceServers, newDevice, roster, timings, isJoined, renewConnection } = this.#options
    const media: Media = new Media({
      request,
      iceServers,
      ...(newDevice && { newDevice }),
      onState: (direction, state) => {
        if (state !== 'connected') return
        if (direction === 'send') timings.sendConnected ??= performance.now()
        else timings.receiveConnected ??= performance.now()
      },
      onStream: (stream) => roster.addStream(stream),
      onStreamGone: (stream) => roster.removeStream(stream),
      onStreamChanged: (stream) => roster.changeStream(stream),
      onLost: (atOnce) => {
        const lose = (): void => {
          if (media === this.#media && isJoined()) renewConnection()
        }
        if (atOnce) lose()
        else setTimeout(lose, REPLACEMENT_MS)
      },
    })
    return media
  }
}
