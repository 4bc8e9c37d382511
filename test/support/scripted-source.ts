/** A session without a media server, for tests of outputs with simulated time. */
import type { OutputSource, OutputWatcher, SourceStream } from '../../src/output/output.ts'
import type { ConsumerEvents, Tap } from '../../src/media/sfu.ts'
import type { MediaKind, StreamKind } from '../../src/protocol/media.ts'

const CODECS = {
  audio: { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 },
  vp8: { mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000 },
  vp9: { mimeType: 'video/VP9', payloadType: 101, clockRate: 90_000 },
  h264: { mimeType: 'video/H264', payloadType: 101, clockRate: 90_000 },
  av1: { mimeType: 'video/AV1', payloadType: 101, clockRate: 90_000 },
}
export type CodecName = keyof typeof CODECS

export class ScriptedStream implements SourceStream {
  readonly producerId: string
  readonly ownerId: string
  readonly ownerName: string
  readonly kind: StreamKind
  readonly appData: Readonly<Record<string, unknown>>
  keyFramesAsked = 0
  isTapClosed = false
  #hear: ((packet: Buffer) => void) | undefined
  readonly #listeners = new Map<keyof ConsumerEvents, (() => void)[]>()
  readonly #codec: CodecName

  constructor(
    options: Pick<SourceStream, 'producerId' | 'ownerId' | 'kind'> & { codec: CodecName; appData?: object },
  ) {
    this.producerId = options.producerId
    this.ownerId = this.ownerName = options.ownerId
    this.kind = options.kind
    this.appData = { ...options.appData }
    this.#codec = options.codec
  }

  send(packets: Buffer[]): void {
    for (const packet of packets) this.#hear?.(packet)
  }

  emit(event: keyof ConsumerEvents): void {
    for (const listener of this.#listeners.get(event) ?? []) listener()
  }

  open(): Promise<Tap> {
    const kind: MediaKind = this.#codec === 'audio' ? 'audio' : 'video'
    const nothing = (): Promise<void> => Promise.resolve()
    return Promise.resolve({
      id: `tap of ${this.producerId}`,
      producerId: this.producerId,
      kind,
      type: 'simple',
      rtpParameters: { codecs: [{ ...CODECS[this.#codec], parameters: {} }], encodings: [{ ssrc: 1 }] },
      producerPaused: false,
      paused: true,
      scores: { score: 10, producerScore: 10 },
      layers: null,
      on: (event: keyof ConsumerEvents, listener: () => void) => {
        this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener])
      },
      onPacket: (listener: (packet: Buffer) => void) => (this.#hear = listener),
      pause: nothing,
      resume: nothing,
      setPreferredLayers: nothing,
      setPriority: nothing,
      requestKeyFrame: () => {
        this.keyFramesAsked++
        return nothing()
      },
      stats: () => Promise.reject(new Error('not here')),
      close: () => (this.isTapClosed = true),
    } as unknown as Tap)
  }
}

export class ScriptedSource implements OutputSource {
  readonly projectId = 'project'
  readonly meetingId = 'meeting'
  readonly sessionId = 'session'
  readonly streams = new Set<ScriptedStream>()
  readonly watchers = new Set<OutputWatcher>()

  participants(): { participantId: string; name: string }[] {
    return []
  }

  watch(watcher: OutputWatcher): () => void {
    this.watchers.add(watcher)
    for (const stream of this.streams) watcher.offer(stream)
    return () => this.watchers.delete(watcher)
  }

  listen(): () => void {
    return () => undefined
  }

  openSeat(): never {
    throw new Error('no seat here')
  }

  add(stream: ScriptedStream): ScriptedStream {
    this.streams.add(stream)
    for (const watcher of this.watchers) watcher.offer(stream)
    return stream
  }

  remove(stream: ScriptedStream): void {
    this.streams.delete(stream)
    stream.emit('producerClosed')
    for (const watcher of this.watchers) watcher.withdraw(stream.producerId)
  }
}
