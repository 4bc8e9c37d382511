/** Everything that an app publishes: one stream of each kind at a time, which outlives the connections. */
import type { OwnStreams } from '../client/carrier.ts'
import { MeetingError } from '../client/errors.ts'
import type { StreamKind } from '../protocol/media.ts'
import type { AgentMedia } from './media.ts'
import { OwnStream, type EndReason, type Publication, type StreamOptions } from './publication.ts'

export interface AgentStreamsOptions {
  /** What is sent has changed. */
  onChange: () => void
  /** The server refused a stream that was sent before, after we came back. */
  onProblem: (error: MeetingError) => void
}

interface Entry {
  stream: OwnStream<never>
  started: { resolve: () => void; reject: (error: unknown) => void }
}

export class AgentStreams implements OwnStreams<AgentMedia> {
  readonly #options: AgentStreamsOptions
  readonly #entries = new Map<StreamKind, Entry>()
  #media: AgentMedia | undefined
  #closed = false

  constructor(options: AgentStreamsOptions) {
    this.#options = options
  }

  get sent(): Set<StreamKind> {
    return new Set([...this.#entries].flatMap(([kind, { stream }]) => (stream.isSent ? [kind] : [])))
  }

  /**
   * Resolves when the server has the stream; without a connection, when it is back.
   * @throws {MeetingError} ALREADY_PUBLISHED, LEFT, or the server's refusal
   */
  async publish<T>(
    kind: StreamKind,
    options: Omit<StreamOptions<T>, 'kind' | 'onEnd'>,
  ): Promise<Publication> {
    if (this.#closed) throw new MeetingError(0, 'LEFT', 'The meeting was left.')
    this.assertFree(kind)
    const stream = new OwnStream<T>({
      ...options,
      kind,
      onEnd: () => {
        this.#entries.delete(kind)
        this.#options.onChange()
      },
    })
    await new Promise<void>((resolve, reject) => {
      const entry = { stream: stream as unknown as OwnStream<never>, started: { resolve, reject } }
      this.#entries.set(kind, entry)
      void stream.ended.then(({ reason, error }) =>
        reason === 'failed' ? reject(error as Error) : resolve(),
      )
      if (this.#media) void this.#start(entry, this.#media)
    })
    return stream
  }

  /** @throws {MeetingError} ALREADY_PUBLISHED */
  assertFree(kind: StreamKind): void {
    if (this.#entries.has(kind))
      throw new MeetingError(
        0,
        'ALREADY_PUBLISHED',
        'A stream of this kind is being published. Wait until it has ended, or stop it.',
      )
  }

  attach(media: AgentMedia): void {
    this.#media = media
    for (const entry of this.#entries.values()) void this.#start(entry, media)
  }

  detach(): void {
    this.#media = undefined
    for (const { stream } of this.#entries.values()) stream.detach()
  }

  close(): void {
    this.#closed = true
    this.#media = undefined
    for (const { stream } of [...this.#entries.values()]) void stream.end({ reason: 'left' }, false)
  }

  disableMic(): Promise<void> {
    return this.#end('audio', 'moderator')
  }

  disableCamera(): Promise<void> {
    return this.#end('video', 'moderator')
  }

  async stopShare(): Promise<void> {
    await Promise.all([this.#end('share', 'moderator'), this.#end('shareAudio', 'moderator')])
  }

  enableMic = nothingToEnable
  enableCamera = nothingToEnable
  startShare = nothingToEnable

  async #end(kind: StreamKind, reason: EndReason): Promise<void> {
    await this.#entries.get(kind)?.stream.end({ reason })
  }

  async #start({ stream, started }: Entry, media: AgentMedia): Promise<void> {
    try {
      await stream.attach(media)
      // Its end says how it went.
      if (stream.isOver) return
      started.resolve()
      this.#options.onChange()
    } catch (error) {
      // With the code 0 the connection is lost, and the next one tries again.
      if (!(error instanceof MeetingError) || error.code === 0) return
      await stream.end({ reason: 'failed', error })
      this.#options.onProblem(error)
    }
  }
}

/** A program has no microphone or camera that could be switched on. */
function nothingToEnable(): Promise<void> {
  return Promise.reject(
    new MeetingError(
      0,
      'NOTHING_TO_ENABLE',
      'A program sends what it publishes: call `publishAudio` or `publishVideo`.',
    ),
  )
}
