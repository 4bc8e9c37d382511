import type { ParticipantRecordingConfig, SourceStream } from '../output.ts'
import { SILENCE_MS } from '../../rtp/codecs/opus.ts'
import { Part, type PartFile } from './part.ts'
import { StreamReceiver, type ReceivedFrame } from './receiver.ts'
import { HOLD_MS, RecordingRun, writableUntil } from './run.ts'
import type { VideoTrack } from './webm.ts'

/**
 * How long to wait for the first frame of a camera that is on at the start, so that the file's header can name its
 * codec.
 */
const CAMERA_WAIT_MS = 3000
const NO_CAMERA: VideoTrack = { codec: 'V_VP8', size: { width: 640, height: 360 } }

/**
 * Records a participant's microphone and camera into one file, from start to stop. A muted microphone becomes silence.
 * A camera that is off becomes black frames if the file contains VP8; with other codecs there are no frames. If the
 * codec of the camera changes, a new file starts.
 */
export class ParticipantRun extends RecordingRun<ParticipantRecordingConfig> {
  readonly #startedAt = this.options.now()
  readonly #voices: StreamReceiver[] = []
  readonly #cameras: StreamReceiver[] = []
  readonly #closed: Promise<PartFile | undefined>[] = []
  #part: Part | undefined
  /** Since when the camera is off, if it is. */
  #blackSince: number | undefined
  /** When it was last switched off. */
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

  /** Opens the file when the codec of the camera is known, because the header names it. */
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

  /** Notes since when all cameras are off, which is when black frames start. */
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

/** Describes the video track for the header of a file; undefined if the frame is not a key frame. */
export function trackOf({ codec, size, configuration }: Omit<ReceivedFrame, 'time'>): VideoTrack | undefined {
  return codec && size && { codec, size, configuration }
}
