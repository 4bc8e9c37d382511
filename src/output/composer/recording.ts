/** Writes a composition as it comes, so that a crash loses nothing, and makes one file of it at the end. */
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputFile } from '../output.ts'
import { metaOf, probe, runFfmpeg } from '../ffmpeg.ts'
import type { Piece } from './matroska.ts'
import type { Sink } from './sink.ts'

/** The folder of segments; each browser that was needed makes one. */
const SEGMENTS = 'segments'
const SEGMENT = /^\d{4}\.mkv$/

export interface RecordingOptions {
  folder: string
  ffmpegBin: string
  fileFormat: 'mp4' | 'webm'
  onError: (error: unknown) => void
}

export class RecordingSink implements Sink {
  readonly #options: RecordingOptions
  readonly #closed: Promise<void>[] = []
  #init: Buffer | undefined
  #file: WriteStream | undefined
  #count = 0
  #bytes = 0

  constructor(options: RecordingOptions) {
    this.#options = options
    mkdirSync(join(options.folder, SEGMENTS), { recursive: true })
  }

  /** Several segments are rewritten before they are joined, which needs space for a second copy. */
  get neededBytes(): number {
    return this.#bytes * (this.#count > 1 ? 2 : 1)
  }

  take({ bytes, isEntry }: Piece, init: Buffer): void {
    if (init !== this.#init) {
      if (!isEntry) return
      this.#end()
      this.#init = init
      this.#file = this.#begin()
      this.#file.write(init)
    }
    this.#file!.write(bytes)
    this.#bytes += bytes.length
  }

  async finish(): Promise<OutputFile[]> {
    this.#end()
    await Promise.all(this.#closed)
    return finishRecording(this.#options)
  }

  #begin(): WriteStream {
    const name = `${String(++this.#count).padStart(4, '0')}.mkv`
    const file = createWriteStream(join(this.#options.folder, SEGMENTS, name))
    file.on('error', (error) => this.#options.onError(error))
    this.#closed.push(new Promise((resolve) => file.once('close', resolve)))
    return file
  }

  #end(): void {
    this.#file?.end()
    this.#file = undefined
  }
}

/**
 * Makes the file from the existing segments, also from those of a killed process. Returns no files if there is nothing
 * to play.
 */
export async function finishRecording(options: Omit<RecordingOptions, 'onError'>): Promise<OutputFile[]> {
  const { folder, ffmpegBin, fileFormat } = options
  const place = join(folder, SEGMENTS)
  const names = (await readdir(place).catch(() => [])).filter((name) => SEGMENT.test(name)).sort()
  const segments = []
  for (const name of names) {
    const file = join(place, name)
    const { birthtimeMs, mtimeMs, size } = await stat(file)
    // Ignores a segment that ended before its first frame.
    const found = await probe(ffmpegBin, file).catch(() => undefined)
    if (found && Object.keys(found.codecs).length > 0)
      segments.push({ name, found, size, from: birthtimeMs, to: mtimeMs })
  }
  const [first] = segments
  if (!first) return []
  const times = { startedAt: Math.round(first.from), endedAt: Math.round(segments.at(-1)!.to) }
  const hasPicture = first.found.resolution !== undefined
  try {
    const names = segments.map(({ name }) => name)
    const joinAll = (): Promise<string> => joined(options, names, first.found.codecs.video)
    // The system may have killed it when memory was short.
    const path = await joinAll().catch(joinAll)
    const file = join(folder, path)
    const found = await probe(ffmpegBin, file)
    await rm(place, { recursive: true, force: true })
    const type = hasPicture ? 'video' : 'audio'
    return [
      {
        path,
        type,
        contentType: `${type}/${fileFormat}`,
        size: (await stat(file)).size,
        ...times,
        meta: metaOf(found),
      },
    ]
  } catch {
    // If joining fails, return the segments instead of nothing.
    return segments.map(({ name, found, size, from, to }) => ({
      path: join(SEGMENTS, name),
      type: hasPicture ? 'video' : 'audio',
      contentType: 'video/x-matroska',
      size,
      startedAt: Math.round(from),
      endedAt: Math.round(to),
      meta: metaOf(found),
    }))
  }
}

/** Returns the name of the file. */
async function joined(
  { folder, ffmpegBin, fileFormat }: Omit<RecordingOptions, 'onError'>,
  names: readonly string[],
  videoCodec: string | undefined,
): Promise<string> {
  const input =
    names.length === 1 ? ['-i', join(SEGMENTS, names[0]!)] : await oneAfterTheOther(ffmpegBin, folder, names)
  // Fill gaps in the sound, so that it stays synchronised with the video.
  const inStep = ['-af', 'aresample=async=1:first_pts=0']
  const output =
    fileFormat === 'mp4'
      ? ['-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k', ...inStep, '-movflags', '+faststart', '-f', 'mp4']
      : [
          ...(videoCodec === 'vp8' || videoCodec === undefined
            ? ['-c:v', 'copy']
            : ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2500k']),
          '-c:a',
          'copy',
          '-f',
          'webm',
        ]
  const name = `recording.${fileFormat}`
  const part = `${name}.part`
  await runFfmpeg(ffmpegBin, [...input, '-map', '0:v?', '-map', '0:a?', ...output, part], {
    cwd: folder,
  })
  await rename(join(folder, part), join(folder, name))
  return name
}

/**
 * Returns the input for ffmpeg. A browser writes video or sound first, whichever comes first; only segments with the
 * same order can be joined.
 */
async function oneAfterTheOther(
  ffmpegBin: string,
  folder: string,
  names: readonly string[],
): Promise<string[]> {
  const list = []
  for (const name of names) {
    const ordered = join(SEGMENTS, `ordered-${name}`)
    const args = ['-i', join(SEGMENTS, name), '-map', '0:v?', '-map', '0:a?', '-c', 'copy', ordered]
    await runFfmpeg(ffmpegBin, args, { cwd: folder })
    list.push(`file ordered-${name}\n`)
  }
  const file = join(SEGMENTS, 'list.txt')
  await writeFile(join(folder, file), list.join(''))
  return ['-f', 'concat', '-safe', '0', '-i', file]
}
