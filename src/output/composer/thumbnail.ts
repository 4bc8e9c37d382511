/** A picture of an HLS output, while it goes on and afterwards. */
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BorrowedFile } from '../files/files.ts'
import type { Thumbnail, ThumbnailOrder } from '../output.ts'
import { probe, runFfmpeg } from '../ffmpeg.ts'
import { readList, type Segment } from './playlists.ts'

const PLACE = 'thumbnails'
const CODECS = { jpg: 'mjpeg', png: 'png', webp: 'libwebp' }

/** Undefined: nothing was streamed by then. @throws {Error} ffmpeg failed, or a file cannot be read */
export async function takeThumbnail(
  ffmpegBin: string,
  { folder, borrow, time, width, height, format, name }: ThumbnailOrder,
): Promise<Thumbnail | undefined> {
  const playlist = await using(await borrow('index.m3u8'), (file) => readFile(file, 'utf8'))
  const found = segmentAt(readList(playlist ?? ''), time)
  if (!found) return undefined
  const path = join(PLACE, `${name}.${format}`)
  const isScaled = width !== undefined || height !== undefined
  // Times count from the first frame, so that there is one at each time.
  const filter = ['setpts=PTS-STARTPTS', ...(isScaled ? [`scale=${width ?? -2}:${height ?? -2}`] : [])]
  // Every frame until then in turn, so that the last one stays; a segment is short.
  const until = found.seconds === undefined ? [] : ['-t', (found.seconds + 0.001).toFixed(3)]
  // Frames of a browser come at uneven times, between which ffmpeg would repeat them a thousand times.
  const how = ['-fps_mode', 'passthrough', '-c:v', CODECS[format], '-f', 'image2', '-update', '1']
  return using(await borrow(found.segment.uri), async (segment) => {
    await mkdir(join(folder, PLACE), { recursive: true })
    const args = ['-i', segment, '-vf', filter.join(','), ...until, ...how, path]
    await runFfmpeg(ffmpegBin, args, { cwd: folder })
    const { resolution } = await probe(ffmpegBin, join(folder, path))
    return { path, ...resolution!, size: (await stat(join(folder, path))).size }
  })
}

async function using<T>(
  borrowed: BorrowedFile | undefined,
  work: (path: string) => Promise<T>,
): Promise<T | undefined> {
  try {
    return borrowed && (await work(borrowed.path))
  } finally {
    await borrowed?.release()
  }
}

/** The segment of a time, and how far into it; the newest, from its end, where no time is given. */
export function segmentAt(
  segments: readonly Segment[],
  time: number | undefined,
): { segment: Segment; seconds: number | undefined } | undefined {
  if (time === undefined) {
    const segment = segments.at(-1)
    return segment && { segment, seconds: undefined }
  }
  let from = 0
  for (const segment of segments) {
    if (time < from + segment.seconds) return { segment, seconds: Math.max(0, time - from) }
    from += segment.seconds
  }
  return undefined
}
