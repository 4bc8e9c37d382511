/** The current media of a meeting. It is replaced with each connection, and when the server's media is replaced. */
import type { Devices } from './devices.ts'
import type { Timings } from './events.ts'
import { Media, type MediaOptions } from './media.ts'
import type { Roster } from './roster.ts'

/** How long the server may take to report that its media was replaced. */
const REPLACEMENT_MS = 5000

export interface CurrentMediaOptions extends Pick<
  MediaOptions,
  'request' | 'iceServers' | 'newDevice' | 'participantId' | 'encryption'
> {
  devices: Devices
  roster: Roster
  timings: Timings
  isJoined: () => boolean
  /** The media cannot continue over this connection. */
  renewConnection: () => void
}

export class CurrentMedia {
  readonly #options: CurrentMediaOptions
  #media: Media

  constructor(options: CurrentMediaOptions) {
    this.#options = options
    this.#media = this.#create()
  }

  /** Replaced by each `renew()`. */
  get now(): Media {
    return this.#media
  }

  /** Whether this media is the current one, and open. */
  isCurrent(media: Media): boolean {
    return media === this.#media && !media.closed
  }

  /** Ends all sent and received streams. Our devices stay open for the next. */
  close(): void {
    this.#options.devices.detach()
    this.#media.close()
  }

  renew(): Media {
    this.close()
    return (this.#media = this.#create())
  }

  /** The server replaced its media worker: continue on this connection with new media. */
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
    const { roster, timings, isJoined, renewConnection } = this.#options
    const media: Media = new Media({
      ...this.#options,
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
