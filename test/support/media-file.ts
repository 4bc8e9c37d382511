/** Examines a file or an address with ffprobe and ffmpeg. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface MediaFacts {
  seconds: number
  /** The number of video frames that can be decoded. */
  frames: number
  width: number
  height: number
  /** Names such as `h264` and `aac`. */
  codecs: string[]
  /** Errors found while decoding everything. */
  errors: string
}

export async function examineMedia(file: string): Promise<MediaFacts> {
  const args = ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', file]
  const { stdout } = await run('ffprobe', args)
  const { streams, format } = JSON.parse(stdout)
  const video = streams.find((one: any) => one.codec_type === 'video')
  // Only decoding errors count: a browser may give two frames the same timestamp.
  const decoded = await run('ffmpeg', [
    ...['-v', 'error', '-progress', 'pipe:1', '-i', file],
    ...['-vsync', 'passthrough', '-f', 'null', '/dev/null'],
  ])
  return {
    seconds: Number(format.duration),
    frames: Number([...decoded.stdout.matchAll(/^frame= *(\d+)$/gm)].at(-1)?.[1] ?? 0),
    width: video?.width ?? 0,
    height: video?.height ?? 0,
    codecs: streams.map((one: any) => one.codec_name),
    errors: decoded.stderr.replace(/.*(non monotonically increasing dts|Last message repeated).*\n?/g, ''),
  }
}

/**
 * The colour of an area of the video at a time in seconds: the mean of red, green and blue. The area is given in
 * fractions of the frame.
 */
export async function colourAt(
  file: string,
  second: number,
  place: { x: number; y: number; width: number; height: number },
): Promise<[red: number, green: number, blue: number]> {
  const crop = `crop=iw*${place.width}:ih*${place.height}:iw*${place.x}:ih*${place.y}`
  const args = [
    '-v',
    'error',
    '-ss',
    String(second),
    '-i',
    file,
    '-frames:v',
    '1',
    '-vf',
    `${crop},scale=1:1:flags=area`,
  ]
  const { stdout } = await run('ffmpeg', [...args, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
    encoding: 'buffer',
  })
  return [stdout[0]!, stdout[1]!, stdout[2]!]
}

/** The peak level in dB; about -91 in silence. */
export async function loudness(file: string): Promise<number> {
  const { stderr } = await run('ffmpeg', [
    '-hide_banner',
    '-i',
    file,
    '-af',
    'volumedetect',
    '-vn',
    '-f',
    'null',
    '-',
  ])
  return Number(/max_volume: (-?[\d.]+) dB/.exec(stderr)?.[1] ?? -100)
}
