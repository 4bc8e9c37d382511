/** One recording after the other in one file. */
import { probe, type Probe } from '../ffmpeg.ts'
import type { JobEngine } from './job.ts'
import { makeFile, MP4_END, MP4_PICTURE, MP4_SOUND } from './media.ts'
import { JobProblem } from './problem.ts'

type Piece = Pick<Probe, 'duration' | 'resolution' | 'codecs'>

/** In the order in which they were made, whatever their sizes are. */
export function endToEnd(ffmpegBin: string): JobEngine['run'] {
  return async (_config, place) => {
    const inputs = place.inputs.toSorted((one, other) => one.startedAt - other.startedAt)
    const found = await Promise.all(inputs.map(({ path }) => probe(ffmpegBin, path)))
    const joined = joinFilter(found)
    if (!joined) throw new JobProblem('The recordings hold neither picture nor sound.')
    const { filter, hasPicture } = joined
    const args = [
      ...inputs.flatMap(({ path }) => ['-i', path]),
      ...['-filter_complex', filter],
      ...(hasPicture ? ['-map', '[picture]', ...MP4_PICTURE] : []),
      ...['-map', '[sound]', ...MP4_SOUND, ...MP4_END],
    ]
    return [
      await makeFile(place, args, {
        ffmpegBin,
        name: hasPicture ? 'merged.mp4' : 'merged.m4a',
        contentType: hasPicture ? 'video/mp4' : 'audio/mp4',
        startedAt: inputs[0]!.startedAt,
        endedAt: inputs.at(-1)!.endedAt,
      }),
    ]
  }
}

/** What ffmpeg is told to do with its inputs, in their order. Pure. */
function joinFilter(pieces: readonly Piece[]): { filter: string; hasPicture: boolean } | undefined {
  if (!pieces.some(({ codecs }) => codecs.video ?? codecs.audio)) return undefined
  const sizes = pieces.flatMap(({ resolution }) => resolution ?? [])
  const hasPicture = sizes.length > 0
  // Nothing is made smaller than it is in the largest of them.
  const [largest] = sizes.toSorted((one, other) => other.width * other.height - one.width * one.height)
  const even = (length = 0): number => Math.ceil(length / 2) * 2
  const [width, height] = [even(largest?.width), even(largest?.height)]
  const filters = pieces.flatMap(({ codecs, duration = 0 }, at) => [
    ...(hasPicture
      ? [
          codecs.video === undefined
            ? `color=c=black:s=${width}x${height}:r=25:d=${duration},format=yuv420p[v${at}]`
            : `[${at}:v]scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2,setsar=1,fps=25,format=yuv420p[v${at}]`,
        ]
      : []),
    codecs.audio === undefined
      ? `anullsrc=r=48000:cl=stereo,atrim=end=${duration}[a${at}]`
      : `[${at}:a]aresample=48000:async=1000:first_pts=0,aformat=channel_layouts=stereo[a${at}]`,
  ])
  const ends = pieces.map((_, at) => `${hasPicture ? `[v${at}]` : ''}[a${at}]`).join('')
  const concat = `${ends}concat=n=${pieces.length}:v=${hasPicture ? 1 : 0}:a=1${hasPicture ? '[picture]' : ''}[sound]`
  return { filter: [...filters, concat].join(';'), hasPicture }
}
