/** A picture of an HLS output, while it goes on and afterwards. */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Thumbnail, ThumbnailOrder } from '../output.ts'
import { probe, runFfmpeg } from './ffmpeg.ts'
import { readLists } from './hls.ts'
import type { Segment } from './playlists.ts'

const PLACE = 'thumbnails'
const CODECS = { jpg: 'mjpeg', png: 'png', webp: 'libwebp' }

/** Undefined: nothing was streamed by then. @throws {Error} ffmpeg failed */
export async function takeThumbnail(
  ffmpegBin: string,
  { folder, time, width, height, format, name }: ThumbnailOrder,
): Promise<Thumbnail | undefined> {
  const found = segmentAt(await readLists(folder), time)
  if (!found) return undefined
  await mkdir(join(folder, PLACE), { recursive: true })
  const path = join(PLACE, `${name}.${format}`)
  const scale =
    width === undefined && height === undefined ? [] : ['-vf', `scale=${width ?? -2}:${height ?? -2}`]
  // Of now: every frame of the newest segment in turn, so that the last one stays.
  const which = found.seconds === undefined ? ['-update', '1'] : ['-frames:v', '1']
  const seek = found.seconds === undefined ? [] : ['-ss', String(found.seconds)]
  // Frames of a browser come at uneven times, between which ffmpeg would repeat them a thousand times.
  const picture = ['-fps_mode', 'passthrough', '-c:v', CODECS[format], '-f', 'image2', ...which]
  const args = [...seek, '-i', found.segment.uri, ...scale, ...picture, '-y', path]
  await runFfmpeg(ffmpegBin, args, folder)
  const { resolution } = await probe(ffmpegBin, join(folder, path))
  return { path, ...resolution!, size: (await stat(join(folder, path))).size }
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
