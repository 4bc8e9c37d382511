import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { runFfmpeg } from '../ffmpeg.ts'
import type { PartFile } from './part.ts'

export type Converted = 'mp4' | 'mp3'

/** What ffmpeg is told to make of a file of ours. */
function conversionArguments(
  to: Converted,
  { hasVideo, size, codec }: { hasVideo: boolean; size: PartFile['size']; codec: string },
): string[] {
  // Silence is put in where a clock drifted, and pictures keep their times.
  const sound = ['-af', 'aresample=async=1000:first_pts=0']
  if (to === 'mp3') return ['-vn', ...sound, '-c:a', 'libmp3lame', '-q:a', '2', '-f', 'mp3']
  const audio = [...sound, '-c:a', 'aac', '-b:a', '128k']
  if (!hasVideo) return ['-vn', ...audio, '-movflags', '+faststart', '-f', 'mp4']
  return [...pictureArguments(codec, size), ...audio, '-movflags', '+faststart', '-f', 'mp4']
}

/** Players take H.264 in MP4; VP8 is none of its codecs, and of the others few players know that. */
function pictureArguments(codec: string, size: PartFile['size']): string[] {
  if (codec === 'h264') return ['-c:v', 'copy']
  const even = (length: number): number => Math.ceil(length / 2) * 2
  const [width, height] = [even(size?.width ?? 1280), even(size?.height ?? 720)]
  // One size for all, as MP4 has no other.
  const fit = `scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2,setsar=1`
  return [
    '-vf',
    fit,
    '-fps_mode',
    'vfr',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '23',
    '-pix_fmt',
    'yuv420p',
  ]
}

/** Makes a file of another format beside it. Throws with what ffmpeg said last. */
export async function convertFile(
  ffmpeg: string,
  { folder, part, to, signal }: { folder: string; part: PartFile; to: Converted; signal: AbortSignal },
): Promise<PartFile> {
  const source = join(folder, part.name)
  const name = part.name.replace(/\.\w+$/, `.${to}`)
  const unfinished = join(folder, `${name}.part`)
  const codec = part.name.endsWith('.mkv') ? 'h264' : 'other'
  const made = conversionArguments(to, { hasVideo: part.hasVideo, size: part.size, codec })
  try {
    await runFfmpeg(ffmpeg, ['-i', source, ...made, unfinished], { signal })
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  await rename(unfinished, join(folder, name))
  return { ...part, name, bytes: (await stat(join(folder, name))).size }
}
