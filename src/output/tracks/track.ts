import type { SourceStream, TrackRecordingConfig } from '../output.ts'
import type { StreamKind } from '../../protocol/media.ts'
import { trackOf } from './participant.ts'
import { Part, type PartFile } from './part.ts'
import { StreamReceiver } from './receiver.ts'
import { RecordingRun, writableUntil } from './run.ts'

const STREAM_KINDS: Record<TrackRecordingConfig['kind'], StreamKind> = {
  audio: 'audio',
  video: 'video',
  screen_audio: 'shareAudio',
  screen_video: 'share',
}

interface Recorded {
  receiver: StreamReceiver
  part: Part | undefined
}

/** Writes a file for each time that a stream is on. If the codec changes, a new file starts. */
export class TrackRun extends RecordingRun<TrackRecordingConfig> {
  #streams: Recorded[] = []
  readonly #closed: Promise<PartFile | undefined>[] = []

  protected override takes({ kind }: SourceStream): boolean {
    return kind === STREAM_KINDS[this.order.config.kind]
  }

  protected override take(stream: SourceStream): void {
    const receiver = new StreamReceiver(stream, this.options)
    this.#streams.push({ receiver, part: undefined })
    void receiver.open()
  }

  protected override withdraw(producerId: string): void {
    for (const { receiver } of this.#streams) if (receiver.producerId === producerId) receiver.end()
  }

  protected override write(now: number): unknown {
    // The recording has started, even if the stream is off.
    this.started()
    let problem: unknown
    for (const recorded of this.#streams) {
      recorded.receiver.tick(now)
      this.#write(recorded, writableUntil(now, this.#isSound ? [recorded.receiver] : [], recorded.part))
      recorded.part?.flush()
      problem ??= recorded.part?.problem
    }
    this.#streams = this.#streams.filter((recorded) => {
      const isOver = recorded.receiver.isOver && recorded.receiver.isEmpty
      if (isOver) this.#close(recorded)
      return !isOver
    })
    return problem
  }

  protected override async close(now: number): Promise<PartFile[]> {
    for (const recorded of this.#streams) {
      recorded.receiver.end()
      this.#write(recorded, now)
      this.#close(recorded)
    }
    return (await Promise.all(this.#closed)).filter((file) => file !== undefined)
  }

  get #isSound(): boolean {
    return this.order.config.kind.endsWith('audio')
  }

  #write(recorded: Recorded, until: number): void {
    const { folder, config } = this.order
    for (const frame of recorded.receiver.take(until)) {
      const video = trackOf(frame)
      if (recorded.part && video && video.codec !== recorded.part.tracks.video?.codec) this.#close(recorded)
      recorded.part ??= new Part({
        folder,
        name: config.kind,
        tracks: { audio: this.#isSound, video },
        startedAt: frame.time,
      })
      if (this.#isSound) recorded.part.addSound(frame)
      else recorded.part.addPicture(frame)
    }
  }

  #close(recorded: Recorded): void {
    if (recorded.part) this.#closed.push(recorded.part.close())
    recorded.part = undefined
  }
}
