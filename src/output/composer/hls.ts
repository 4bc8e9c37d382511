/**
 * Cuts a composition into segments for HLS, and writes the playlists. The video is copied; the sound is converted to
 * AAC.
 */
import { mkdirSync, watch, type FSWatcher } from 'node:fs'
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputFile } from '../output.ts'
import type { ComposerLog } from './compositions.ts'
import { Feed } from './feed.ts'
import { probe, startFfmpeg } from '../ffmpeg.ts'
import type { Piece } from './matroska.ts'
import { readList, slidingPlaylist, wholePlaylist, type Segment } from './playlists.ts'
import type { Sink } from './sink.ts'

/** Slightly less than the interval of key frames, so that each key frame starts a segment. */
const SEGMENT_SECONDS = 0.9
/** The number of segments that a player needs to start. */
const PLAYABLE_SEGMENTS = 3
/** The lists that ffmpeg writes, one per run, with the segments of that run. */
const LIST = /^run-\d{4}\.list$/

export interface HlsOptions {
  folder: string
  ffmpegBin: string
  log: ComposerLog
  onPlayable: () => void
  onError: (error: unknown) => void
}

export class HlsSink implements Sink {
  readonly neededBytes = 0
  readonly #options: HlsOptions
  readonly #feed: Feed
  readonly #watcher: FSWatcher
  #runs = 0
  #isPlayable = false
  #writing: Promise<void> | undefined
  #isStale = false

  constructor(options: HlsOptions) {
    this.#options = options
    const { folder, log } = options
    mkdirSync(folder, { recursive: true })
    this.#feed = new Feed({
      start: () => startFfmpeg(options.ffmpegBin, segmenterArgs(++this.#runs), folder),
      onFailed: (problem) => log.warn({ problem }, 'restarted the segmenter of an HLS output'),
    })
    this.#watcher = watch(folder, (_event, name) => {
      if (name !== null && LIST.test(name)) this.#update()
    })
  }

  take(piece: Piece, init: Buffer): void {
    this.#feed.take(piece, init)
  }

  async finish(): Promise<OutputFile[]> {
    await this.#feed.finish()
    this.#watcher.close()
    await this.#writing
    return finishHls(this.#options.folder, this.#options.ffmpegBin)
  }

  /** Runs one update at a time, and one more if the lists have changed in the meantime. */
  #update(): void {
    this.#isStale = true
    this.#writing ??= this.#write()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => (this.#writing = undefined))
  }

  async #write(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false
      const { folder } = this.#options
      const segments = await readLists(folder)
      if (segments.length === 0) continue
      await writePlaylists(folder, segments, false)
      if (this.#isPlayable || segments.length < PLAYABLE_SEGMENTS) continue
      this.#isPlayable = true
      this.#options.onPlayable()
    }
  }
}

/** Completes the playlists, also those of a killed process. Returns no files if there are no segments. */
export async function finishHls(folder: string, ffmpegBin: string): Promise<OutputFile[]> {
  const segments = await readLists(folder)
  const last = segments.at(-1)
  if (!last) return []
  // ffmpeg computes the length of a segment from the next key frame, and here there is none.
  const { duration: seconds = last.seconds } = await probe(ffmpegBin, join(folder, last.uri))
  last.seconds = seconds
  await writePlaylists(folder, segments, true)
  const [from, to] = await Promise.all([segments[0]!, last].map(({ uri }) => stat(join(folder, uri))))
  const duration = segments.reduce((sum, { seconds }) => sum + seconds, 0)
  return Promise.all(
    ['index.m3u8', 'live.m3u8'].map(async (path) => ({
      path,
      type: 'playlist' as const,
      contentType: 'application/vnd.apple.mpegurl',
      size: (await stat(join(folder, path))).size,
      startedAt: Math.round(from!.birthtimeMs),
      endedAt: Math.round(to!.mtimeMs),
      meta: { format: 'hls', duration },
    })),
  )
}

/** Returns all complete segments, in order. */
async function readLists(folder: string): Promise<Segment[]> {
  const lists = (await readdir(folder).catch(() => [])).filter((name) => LIST.test(name)).sort()
  const texts = await Promise.all(lists.map((name) => readFile(join(folder, name), 'utf8')))
  return texts.flatMap(readList)
}

async function writePlaylists(folder: string, segments: readonly Segment[], isOver: boolean): Promise<void> {
  await Promise.all([
    replace(join(folder, 'index.m3u8'), wholePlaylist(segments, isOver)),
    replace(join(folder, 'live.m3u8'), slidingPlaylist(segments, isOver)),
  ])
}

/** Replaces a file atomically. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text)
  await rename(`${file}.part`, file)
}

function segmenterArgs(run: number): string[] {
  const name = `run-${String(run).padStart(4, '0')}`
  return [
    ...['-probesize', '32768'],
    ...['-f', 'matroska', '-i', 'pipe:0', '-map', '0:v?', '-map', '0:a?'],
    ...['-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k', '-af', 'aresample=async=1:first_pts=0'],
    ...['-f', 'hls', '-hls_time', String(SEGMENT_SECONDS), '-hls_list_size', '0'],
    ...['-hls_flags', 'independent_segments+temp_file+omit_endlist+program_date_time'],
    ...['-hls_segment_filename', `${name}-%05d.ts`, `${name}.list`],
  ]
}
