import type { ParticipantRecordingConfig, SourceStream } from '../output.ts'
import { SILENCE_MS } from './codecs/opus.ts'
import { Part, type PartFile } from './part.ts'
import { StreamReceiver, type ReceivedFrame } from './receiver.ts'
import { HOLD_MS, RecordingRun, writableUntil } from './run.ts'
import type { VideoTrack } from './webm.ts'

/** A camera that is on when the recording starts is waited for, so that the file can say what it sends. */
const CAMERA_WAIT_MS = 3000
const NO_CAMERA: VideoTrack = { codec: 'V_VP8', size: { width: 640, height: 360 } }

/**
 * A participant's microphone and camera in one file, from the start to the stop. Silence stands for a muted microphone. Black pictures
 * stand for a camera that is off where the file holds VP8; in other codecs pictures are absent then. A camera that sends
 * another codec than before begins another file.
 */
export class ParticipantRun extends RecordingRun<ParticipantRecordingConfig> {
  readonly #startedAt = this.options.now()
  readonly #voices: StreamReceiver[] = []
  readonly #cameras: StreamReceiver[] = []
  readonly #closed: Promise<PartFile | undefined>[] = []
  #part: Part | undefined
  /** Since when the camera is off, if it is. */
  #blackSince: number | undefined
  /** When it went off last. */
  #offAt = this.#startedAt

  protected override takes({ kind }: SourceStream): boolean {
    return kind === 'audio' || kind === 'video'
  }

  protected override take(stream: SourceStream): void {
    const receiver = new StreamReceiver(stream, this.options)
    ;(stream.kind === 'audio' ? this.#voices : this.#cameras).push(receiver)
    void receiver.open()
  }

  protected override withdraw(producerId: string): void {
    for (const receiver of [...this.#voices, ...this.#cameras])
      if (receiver.producerId === producerId) receiver.end()
  }

  protected override write(now: number): unknown {
    for (const receiver of [...this.#voices, ...this.#cameras]) receiver.tick(now)
    if (!this.#part && !this.#open(now)) return undefined
    this.started()
    const until = writableUntil(now, this.#voices, this.#part)
    this.#lookAtCameras(until)
    this.#writeUntil(until)
    for (const receivers of [this.#voices, this.#cameras]) {
      const left = receivers.filter((receiver) => !receiver.isOver || !receiver.isEmpty)
      receivers.splice(0, receivers.length, ...left)
    }
    this.#part?.flush()
    return this.#part?.problem
  }

  protected override async close(now: number): Promise<PartFile[]> {
    this.#lookAtCameras(now)
    for (const receiver of [...this.#voices, ...this.#cameras]) receiver.end()
    if (!this.#part) this.#openPart(this.#startedAt, this.#firstPicture())
    this.#writeUntil(now)
    this.#closed.push(this.#part!.close(now))
    return (await Promise.all(this.#closed)).filter((file) => file !== undefined)
  }

  /** The head of the file says which codec the camera has. */
  #open(now: number): boolean {
    const picture = this.#firstPicture()
    const isAwaited = !picture && this.#cameras.some(({ offAt }) => offAt === undefined)
    if (now - this.#startedAt < (isAwaited ? CAMERA_WAIT_MS : HOLD_MS)) return false
    this.#openPart(this.#startedAt, picture)
    return true
  }

  #firstPicture(): VideoTrack | undefined {
    return this.#cameras
      .map((camera) => camera.first && trackOf(camera.first))
      .find((track) => track !== undefined)
  }

  #openPart(startedAt: number, video: VideoTrack = NO_CAMERA): void {
    const { folder } = this.order
    this.#part = new Part({ folder, name: 'participant', tracks: { audio: true, video }, startedAt })
  }

  #writeUntil(until: number): void {
    const frames = [...this.#voices, ...this.#cameras]
      .flatMap((receiver) => receiver.take(until))
      .sort((one, other) => one.time - other.time)
    for (const frame of frames) {
      if (!frame.codec) this.#part!.addSound(frame)
      else this.#addPicture(frame)
    }
    this.#part!.addSilence(until - SILENCE_MS)
    if (this.#blackSince !== undefined) this.#part!.addBlack(this.#blackSince, until)
  }

  /** A camera that is off is black from then on. */
  #lookAtCameras(until: number): void {
    for (const { offAt } of this.#cameras) this.#offAt = Math.max(this.#offAt, offAt ?? 0)
    const isOff = this.#cameras.every(({ offAt }) => offAt !== undefined) && this.#offAt <= until
    if (isOff) this.#blackSince ??= this.#offAt
  }

  #addPicture(frame: ReceivedFrame): void {
    const track = trackOf(frame)
    if (track && track.codec !== this.#part!.tracks.video?.codec) {
      this.#closed.push(this.#part!.close(frame.time))
      this.#openPart(frame.time, track)
    }
    if (frame.codec !== this.#part!.tracks.video?.codec) return
    if (this.#blackSince !== undefined) this.#part!.addBlack(this.#blackSince, frame.time - 1)
    this.#blackSince = undefined
    this.#part!.addPicture(frame)
  }
}

/** What a file with this picture must say of it; undefined for one that is no key frame. */
export function trackOf({ codec, size, configuration }: Omit<ReceivedFrame, 'time'>): VideoTrack | undefined {
  return codec && size && { codec, size, configuration }
}
