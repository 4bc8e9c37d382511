/** A WHEP client as a member: a hidden egress that receives one participant, or whoever sends. */
import type { Consumer, Router, Transport } from '../../media/sfu.ts'
import type { MeetingStream, Onlooker } from '../../meeting/roster/member.ts'
import type { MediaKind, RtpCapabilities, StreamKind } from '../../protocol/media.ts'
import { Refusal } from '../../protocol/errors.ts'

export interface ViewerOptions {
  id: string
  name: string
  transport: Transport
  /** Its own, with the payload types of its offer. */
  router: Router
  rtpCapabilities: RtpCapabilities
  kinds: readonly MediaKind[]
  remotePeerId: string | undefined
  onEnd: () => void
  onError: (error: unknown) => void
}

/** What is shown as which kind, the preferred one first. */
const SOURCES: Record<MediaKind, readonly StreamKind[]> = {
  audio: ['audio', 'shareAudio'],
  video: ['video', 'share'],
}
/** Clamped to what the stream has. */
const ALL_LAYERS = { spatialLayer: 15, temporalLayer: 15 }

/**
 * WHEP cannot renegotiate, so the answer names no SSRC: whatever is received at a time comes on the same transport with the
 * payload types of the answer, and browsers take a new SSRC for the same track.
 */
export class Viewer implements Onlooker {
  readonly id: string
  readonly name: string
  readonly kind = 'egress'
  readonly isVisible = false
  readonly sends = false
  readonly receives = true
  readonly #options: ViewerOptions
  readonly #streams = new Map<string, MeetingStream>()
  readonly #shown = new Map<MediaKind, { producerId: string; consumer: Consumer }>()
  /** Whom it watches, if nobody was named: kept while that participant sends. */
  #chosen: string | undefined
  #work: Promise<void> = Promise.resolve()
  #isOver = false
  #detach: () => void = () => undefined

  constructor(options: ViewerOptions) {
    this.id = options.id
    this.name = options.name
    this.#options = options
    options.transport.on('lost', () => this.end())
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** It has a place in the meeting, which `detach` ends. */
  attached(detach: () => void): void {
    if (this.#isOver) detach()
    else this.#detach = detach
  }

  tell(): void {
    // Nothing that happens in the meeting but its streams matters to a viewer.
  }

  offer(stream: MeetingStream): void {
    // It could not decode what only participants can.
    if (stream.appData.isEncrypted === true) return
    this.#streams.set(stream.producerId, stream)
    this.#update()
  }

  withdraw(producerId: string): void {
    if (this.#streams.delete(producerId)) this.#update()
  }

  close(): void {
    this.end()
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#detach()
    this.#options.transport.close()
    this.#options.router.close()
    this.#options.onEnd()
  }

  #update(): void {
    this.#work = this.#work.then(() => this.#showAll())
  }

  async #showAll(): Promise<void> {
    for (const kind of this.#options.kinds) {
      if (this.#isOver) return
      try {
        await this.#show(kind)
      } catch (error) {
        if (error instanceof Refusal && error.code === 'CODEC_NOT_SUPPORTED') continue
        // A stream that ended in the meantime, or whose worker died, is no error.
        const wanted = this.#wanted(kind)
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may be over since the await
        if (!this.#isOver && wanted && this.#streams.has(wanted.producerId)) this.#options.onError(error)
      }
    }
  }

  async #show(kind: MediaKind): Promise<void> {
    const { transport, rtpCapabilities } = this.#options
    const wanted = this.#wanted(kind)
    const shown = this.#shown.get(kind)
    if (shown?.producerId === wanted?.producerId) return
    shown?.consumer.close()
    this.#shown.delete(kind)
    if (!wanted) return
    const { producerId } = wanted
    const consumer = await transport.consume({ producerId, rtpCapabilities })
    if (this.#isOver || !this.#streams.has(producerId)) {
      consumer.close()
      return
    }
    this.#shown.set(kind, { producerId, consumer })
    consumer.on('producerClosed', () => {
      if (this.#shown.get(kind)?.consumer === consumer) this.#shown.delete(kind)
    })
    if (consumer.type !== 'simple') await consumer.setPreferredLayers(ALL_LAYERS)
    await consumer.resume()
  }

  /** The stream to be shown as this kind: the newest of the preferred sort. */
  #wanted(kind: MediaKind): MeetingStream | undefined {
    const watched = this.#options.remotePeerId ?? this.#choose()
    for (const source of SOURCES[kind]) {
      const found = [...this.#streams.values()].findLast(
        (stream) => stream.ownerId === watched && stream.kind === source,
      )
      if (found) return found
    }
    return undefined
  }

  #choose(): string | undefined {
    const all = [...this.#streams.values()]
    if (!all.some(({ ownerId }) => ownerId === this.#chosen))
      this.#chosen = (all.find(({ kind }) => kind === 'video') ?? all[0])?.ownerId
    return this.#chosen
  }
}
