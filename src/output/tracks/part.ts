import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { blackFrame } from '../../rtp/codecs/vp8.ts'
import type { Size } from '../../rtp/codecs/codec.ts'
import { durationOf } from '../../rtp/codecs/opus.ts'
import type { ReceivedFrame } from './receiver.ts'
import { repairFile } from './seal.ts'
import { SoundTrack } from './silence.ts'
import { AUDIO, isWebm, VIDEO, type Tracks } from './webm.ts'
import { WebmFile } from './webm-file.ts'

/** A finished file. */
export interface PartFile {
  /** Its name in the output's folder. */
  name: string
  startedAt: number
  endedAt: number
  hasVideo: boolean
  size: Size | undefined
  bytes: number
}

/** The interval of repeated black frames. */
const BLACK_EVERY_MS = 1000

/** A file that is being recorded: sound without gaps, and video frames, on a timeline that starts with the file. */
export class Part {
  readonly tracks: Tracks
  /** The start of the file on our clock. */
  readonly startedAt: number
  readonly #file: WebmFile
  readonly #sound: SoundTrack | undefined
  /** The size of the widest frame so far, for players. */
  #size: Size | undefined
  #blackSize: Size
  #pictureEndMs = 0
  #blackAt = -Infinity

  constructor(options: { folder: string; name: string; tracks: Tracks; startedAt: number }) {
    const { folder, name, tracks, startedAt } = options
    this.tracks = tracks
    this.startedAt = startedAt
    this.#sound = tracks.audio ? new SoundTrack(0) : undefined
    this.#blackSize = tracks.video?.size ?? { width: 640, height: 360 }
    this.#size = tracks.video?.size
    const extension = isWebm(tracks) ? 'webm' : 'mkv'
    const stamp = new Date(startedAt).toISOString().replaceAll(/[-:.]/g, '')
    this.#file = new WebmFile(join(folder, `${name}-${stamp}.${extension}`), tracks, startedAt)
    this.#file.flush()
  }

  /** The error of the file, if any. */
  get problem(): unknown {
    return this.#file.problem
  }

  /** The end of the sound so far, on our clock. */
  get soundEnd(): number {
    return this.startedAt + (this.#sound?.endMs ?? 0)
  }

  addSound({ time, data }: ReceivedFrame): void {
    for (const sound of this.#sound!.place(time - this.startedAt, durationOf(data), data))
      this.#addSound(sound)
  }

  /** Adds silence up to a time of our clock. */
  addSilence(until: number): void {
    for (const sound of this.#sound!.fillTo(until - this.startedAt)) this.#addSound(sound)
  }

  addPicture({ time, data, isKey, size }: ReceivedFrame): void {
    const timeMs = time - this.startedAt
    if (size) this.#blackSize = size
    if (size && size.width * size.height > (this.#size ? this.#size.width * this.#size.height : 0))
      this.#size = size
    this.#addPicture(timeMs, isKey, data)
  }

  /** Adds black frames for a span of our clock; the beginning of the span may have frames already. */
  addBlack(from: number, until: number): void {
    if (this.tracks.video?.codec !== 'V_VP8') return
    const first = Math.max(from - this.startedAt, this.#blackAt + BLACK_EVERY_MS, 0)
    for (let timeMs = first; timeMs <= until - this.startedAt; timeMs += BLACK_EVERY_MS) {
      this.#addPicture(timeMs, true, blackFrame(this.#blackSize))
      this.#blackAt = timeMs
    }
  }

  flush(): void {
    this.#file.flush()
  }

  /** @param endedAt on our clock; default: the end of the last sound or frame */
  async close(endedAt?: number): Promise<PartFile | undefined> {
    const lastMs = Math.max(this.#sound?.endMs ?? 0, this.#pictureEndMs)
    const durationMs = Math.max(lastMs, endedAt === undefined ? 0 : endedAt - this.startedAt)
    await this.#file.close(durationMs)
    const { path } = this.#file
    if (this.#file.problem && !this.#file.isOpen) return undefined
    if (this.#file.problem) {
      const rest = await repairFile(path).catch(() => undefined)
      return rest && (await partFileOf(path, { ...rest, size: this.#size }))
    }
    const hasVideo = this.tracks.video !== undefined
    return partFileOf(path, { startedAt: this.startedAt, durationMs, hasVideo, size: this.#size })
  }

  #addSound({ timeMs, data }: { timeMs: number; data: Buffer }): void {
    this.#file.add({ track: AUDIO, timeMs, isKey: true, data })
  }

  #addPicture(timeMs: number, isKey: boolean, data: Buffer): void {
    this.#file.add({ track: VIDEO, timeMs, isKey, data })
    this.#pictureEndMs = Math.max(this.#pictureEndMs, timeMs)
  }
}

export async function partFileOf(
  path: string,
  scan: { startedAt: number; durationMs: number; hasVideo: boolean; size: Size | undefined },
): Promise<PartFile> {
  return {
    name: basename(path),
    startedAt: Math.round(scan.startedAt),
    endedAt: Math.round(scan.startedAt + scan.durationMs),
    hasVideo: scan.hasVideo,
    size: scan.size,
    bytes: (await stat(path)).size,
  }
}
