/** Voices of two groups in one file: those of the first left, those of the second right. */
import { probe } from '../ffmpeg.ts'
import type { JobEngine } from './job.ts'
import { makeFile, MP4_END, MP4_SOUND } from './media.ts'
import { JobProblem } from './problem.ts'
import { mixed } from './scene.ts'

/** Each begins when it was recorded. */
export function stereo(ffmpegBin: string): JobEngine['run'] {
  return async (_config, place) => {
    const probed = await Promise.all(
      place.inputs.map(async (input) => ({ ...input, found: await probe(ffmpegBin, input.path) })),
    )
    const inputs = probed.filter(({ found }) => found.codecs.audio !== undefined)
    if (inputs.length === 0) throw new JobProblem('The recordings hold no sound.')
    const startedAt = Math.min(...inputs.map((input) => input.startedAt))
    const endedAt = Math.max(...inputs.map((input) => input.endedAt))
    const voices = inputs.map(({ group, startedAt: at }, input) => ({ group, input, fromMs: at - startedAt }))
    const args = [
      ...inputs.flatMap(({ path }) => ['-i', path]),
      ...['-filter_complex', stereoFilter(voices, (endedAt - startedAt) / 1000)],
      ...['-map', '[stereo]', ...MP4_SOUND, ...MP4_END],
    ]
    return [
      await makeFile(place, args, {
        ffmpegBin,
        name: 'merged.m4a',
        contentType: 'audio/mp4',
        startedAt,
        endedAt,
      }),
    ]
  }
}

/** Pure. */
function stereoFilter(
  voices: readonly { group: number; input: number; fromMs: number }[],
  seconds: number,
): string {
  const filters: string[] = []
  const sides = [0, 1].map((side) => {
    const own = voices.filter(({ group }) => group === side)
    const label = `side${side}x`
    if (mixed(own, seconds, label, filters, 'mono') === undefined)
      filters.push(`anullsrc=r=48000:cl=mono,atrim=end=${seconds}[${label}]`)
    return `[${label}]`
  })
  // By name, as two mono inputs have the same channel.
  filters.push(`${sides.join('')}join=inputs=2:channel_layout=stereo:map=0.0-FL|1.0-FR[stereo]`)
  return filters.join(';')
}
