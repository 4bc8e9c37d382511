/** The current media of a meeting. It is replaced with each connection, and when the server's media is replaced. */
import type { MediaEvents, MeetingMedia, OwnStreams, Request } from './carrier.ts'
import type { Timings } from './events.ts'
import type { AnyStream } from './participant.ts'
import type { Roster } from './roster.ts'

/** How long the server may take to report that its media was replaced. */
const REPLACEMENT_MS = 5000

export interface CurrentMediaOptions<S extends AnyStream, M extends MeetingMedia> {
  create: (events: MediaEvents<S>) => M
  request: Request
  own: OwnStreams<M>
  roster: Roster<S>
  timings: Timings
  isJoined: () => boolean
  /** The media cannot continue over this connection. */
  renewConnection: () => void
}

export class CurrentMedia<S extends AnyStream, M extends MeetingMedia> {
  readonly #options: CurrentMediaOptions<S, M>
  #media: M

  constructor(options: CurrentMediaOptions<S, M>) {
    this.#options = options
    this.#media = this.#create()
  }

  /** Replaced by each `renew()`. */
  get now(): M {
    return this.#media
  }

  /** Whether this media is the current one, and open. */
  isCurrent(media: M): boolean {
    return media === this.#media && !media.closed
  }

  /** Ends all sent and received streams. What we send goes on with the next. */
  close(): void {
    this.#options.own.detach()
    this.#media.close()
  }

  renew(): M {
    this.close()
    return (this.#media = this.#create())
  }

  /** The server replaced its media worker: continue on this connection with new media. */
  async rebuild(): Promise<void> {
    const { request, own, renewConnection } = this.#options
    const media = this.renew()
    try {
      await media.open()
      await request('rejoinMedia', { rtpCapabilities: media.rtpCapabilities })
      if (media === this.#media) own.attach(media)
    } catch (error) {
      if (!this.isCurrent(media)) return
      console.error(error)
      renewConnection()
    }
  }

  #create(): M {
    const { create, roster, timings, isJoined, renewConnection } = this.#options
    const media: M = create({
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
