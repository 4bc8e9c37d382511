import type { JobEngine } from './job.ts'
import { makeFile, MP4_END } from './media.ts'

/** Copies the segments of an HLS output into one MP4 file. */
export function hlsToMp4(ffmpegBin: string): JobEngine['run'] {
  return async (_config, place) => {
    const { path, startedAt, endedAt } = place.inputs[0]!
    // A playlist of ours names files of its own folder alone.
    const input = ['-protocol_whitelist', 'file', '-i', path, '-map', '0:v?', '-map', '0:a?']
    const made = { ffmpegBin, name: 'hls.mp4', contentType: 'video/mp4', startedAt, endedAt }
    return [await makeFile(place, [...input, '-c', 'copy', ...MP4_END], made)]
  }
}
