/** What ffprobe and ffmpeg say of a file or an address. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface MediaFacts {
  seconds: number
  /** Frames of the picture that can be decoded. */
  frames: number
  width: number
  height: number
  /** As `h264`, `aac`. */
  codecs: string[]
  /** What was found wrong while all of it was decoded. */
  errors: string
}

export async function examineMedia(file: string): Promise<MediaFacts> {
  const args = ['-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', file]
  const { stdout } = await run('ffprobe', args)
  const { streams, format } = JSON.parse(stdout)
  const video = streams.find((one: any) => one.codec_type === 'video')
  // Only what cannot be decoded counts: the clock of a browser may give two frames one time.
  const decoded = await run('ffmpeg', ['-v', 'error', '-i', file, '-vsync', 'passthrough', '-f', 'null', '-'])
  return {
    seconds: Number(format.duration),
    frames: Number(video?.nb_read_frames ?? 0),
    width: video?.width ?? 0,
    height: video?.height ?? 0,
    codecs: streams.map((one: any) => one.codec_name),
    errors: decoded.stderr.replace(/.*(non monotonically increasing dts|Last message repeated).*\n?/g, ''),
  }
}

/** The colours of a picture at a second of the file: the mean of red, green and blue of a place, in parts of the picture. */
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

/** The loudest sample, in dB; about -91 where all is silent. */
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
