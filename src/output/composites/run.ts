/** One composite recording while it goes on: each stream that is meant is recorded by itself. */
import type {
  CompositeConfig,
  OutputFile,
  OutputListener,
  OutputOrder,
  OutputRun,
  OutputSource,
  OutputWatcher,
  SourceStream,
  TrackRecordingConfig,
} from '../output.ts'

/** One kind of stream of one participant. */
export interface Lane {
  /** Its own, within the recording's. */
  folder: string
  participantId: string
  name: string
  kind: TrackRecordingConfig['kind']
}

export interface CompositeRunOptions {
  order: OutputOrder<CompositeConfig>
  listener: OutputListener
  startTrack: (
    lane: Lane,
    order: Pick<OutputOrder<TrackRecordingConfig>, 'source' | 'config'>,
    listener: OutputListener,
  ) => OutputRun
  /** Draws what was recorded. */
  finish: (lanes: readonly (Lane & { files: readonly OutputFile[] })[]) => Promise<OutputFile[]>
  onError: (error: unknown) => void
}

/** So many people are recorded where nobody is named: the first who send something. */
const MAX_PEOPLE = 16

const KINDS: Record<SourceStream['kind'], Lane['kind']> = {
  audio: 'audio',
  video: 'video',
  share: 'screen_video',
  shareAudio: 'screen_audio',
}

export class CompositeRun implements OutputRun {
  readonly #options: CompositeRunOptions
  readonly #lanes: { lane: Lane; watcher: OutputWatcher | undefined; run: OutputRun }[] = []
  readonly #ends: (() => void)[] = []
  #stopping: Promise<OutputFile[]> | undefined

  constructor(options: CompositeRunOptions) {
    this.#options = options
  }

  begin(): this {
    const { order, listener } = this.#options
    const unwatch = order.source.watch({
      tell: () => undefined,
      offer: (stream) => this.#offer(stream),
      withdraw: (producerId) => {
        for (const { watcher } of this.#lanes) watcher?.withdraw(producerId)
      },
      close: () => {
        for (const { watcher } of this.#lanes) watcher?.close()
      },
    })
    this.onEnd(unwatch)
    // A recording in which nobody sends anything yet goes on all the same.
    listener.started()
    return this
  }

  /** Called when it stops, or at once if it has: what is offered at the beginning may end it already. */
  onEnd(end: () => void): void {
    if (this.#stopping) end()
    else this.#ends.push(end)
  }

  stop(): Promise<OutputFile[]> {
    return (this.#stopping ??= this.#end())
  }

  #offer(stream: SourceStream): void {
    const kind = KINDS[stream.kind]
    if (this.#stopping || !this.#isMeant(stream.ownerId, kind)) return
    const isOf = ({ lane }: { lane: Lane }): boolean =>
      lane.participantId === stream.ownerId && lane.kind === kind
    try {
      if (!this.#lanes.some(isOf)) this.#open(stream, kind)
      this.#lanes.find(isOf)?.watcher?.offer(stream)
    } catch (cause) {
      this.#fail({ reason: 'failed', message: 'The recording could not be written.', cause })
    }
  }

  #isMeant(participantId: string, kind: Lane['kind']): boolean {
    const { participants } = this.#options.order.config
    if (participants)
      return participants.some((one) => one.participantId === participantId && one.kinds.includes(kind))
    const people = new Set(this.#lanes.map(({ lane }) => lane.participantId))
    return people.has(participantId) || people.size < MAX_PEOPLE
  }

  #open({ ownerId: participantId, ownerName: name }: SourceStream, kind: Lane['kind']): void {
    const { order, startTrack } = this.#options
    const folder = String(this.#lanes.length + 1).padStart(4, '0')
    const lane: Lane = { folder, participantId, name, kind }
    const source: OutputSource = {
      ...order.source,
      watch: (own) => {
        entry.watcher = own
        return () => (entry.watcher = undefined)
      },
    }
    const entry: { lane: Lane; watcher: OutputWatcher | undefined; run: OutputRun } = {
      lane,
      watcher: undefined,
      run: { stop: () => Promise.resolve([]) },
    }
    const nothing = (): void => undefined
    entry.run = startTrack(
      lane,
      { source, config: { participantId, kind, fileFormat: 'webm' } },
      { started: nothing, playable: nothing, transcribed: nothing, ended: (problem) => this.#fail(problem) },
    )
    this.#lanes.push(entry)
  }

  /** If one stream cannot be written, the others soon cannot be written either. */
  #fail(problem: Parameters<OutputListener['ended']>[0]): void {
    if (this.#stopping) return
    const { listener, onError } = this.#options
    this.stop().then(
      (files) => listener.ended(problem, files),
      (error: unknown) => {
        onError(error)
        listener.ended(problem, [])
      },
    )
  }

  async #end(): Promise<OutputFile[]> {
    for (const end of this.#ends) end()
    const lanes = await Promise.all(
      this.#lanes.map(async ({ lane, run }) => ({ ...lane, files: await run.stop() })),
    )
    return this.#options.finish(lanes)
  }
}
