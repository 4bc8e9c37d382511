/** What the kinds of jobs have in common: ffmpeg in a folder, and the file that it made. */
import { rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputFile } from '../output.ts'
import { metaOf, probe, runFfmpeg } from '../ffmpeg.ts'
import type { JobPlace } from './job.ts'

/** H.264 and AAC, with the index in front. */
export const MP4_PICTURE = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p']
export const MP4_SOUND = ['-c:a', 'aac', '-b:a', '128k', '-ar', '48000']
export const MP4_END = ['-movflags', '+faststart', '-f', 'mp4']

export interface Making {
  ffmpegBin: string
  /** Of the file, in the job's folder. */
  name: string
  contentType: string
  startedAt: number
  endedAt: number
}

/** Runs ffmpeg with these arguments, which name no output. Answers the file. */
export async function makeFile(
  { folder, signal }: Pick<JobPlace, 'folder' | 'signal'>,
  args: readonly string[],
  { ffmpegBin, name, contentType, startedAt, endedAt }: Making,
): Promise<OutputFile> {
  const part = `${name}.part`
  await runFfmpeg(ffmpegBin, [...args, part], { cwd: folder, signal })
  await rename(join(folder, part), join(folder, name))
  const meta = metaOf(await probe(ffmpegBin, join(folder, name)))
  const { size } = await stat(join(folder, name))
  const type = contentType.startsWith('video/') ? 'video' : 'audio'
  return { path: name, type, contentType, size, startedAt, endedAt, meta }
}
