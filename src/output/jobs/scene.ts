/** What ffmpeg is told to draw of several recordings. Pure. */
import { gridOf, type Box } from './grid.ts'
import type { MarkFile } from './marks.ts'

/** A file with a picture: the number of ffmpeg's input, and when it is shown. */
export interface Clip {
  input: number
  fromMs: number
  toMs: number
}

/** All pictures that take one place. */
export interface Lane {
  /** Shown where there is no picture. */
  name: string
  clips: readonly Clip[]
}

export interface Scene {
  width: number
  height: number
  durationMs: number
  /** People, each in a tile of their own. */
  tiles: readonly Lane[]
  /** Screens, which cover everything while they are shown. */
  screens: readonly Clip[]
  sounds: readonly { input: number; fromMs: number }[]
}

export interface DrawnScene {
  filters: string[]
  files: MarkFile[]
  /** Labels; undefined where there is no sound. */
  picture: string
  sound: string | undefined
}

const FRAMES_PER_SECOND = 25
const BACKGROUND = '0x202124'
const TILE = '0x3c4043'

export const tilesOf = ({ tiles, width, height }: Pick<Scene, 'tiles' | 'width' | 'height'>): Box[] =>
  gridOf(tiles.length, width, height)

/** Pictures of a tile have its size already. */
export function drawScene(scene: Scene): DrawnScene {
  const { width, height, durationMs, tiles, screens } = scene
  const seconds = durationMs / 1000
  const filters: string[] = []
  const files: MarkFile[] = []
  let last = 'background'
  filters.push(`color=c=${BACKGROUND}:s=${width}x${height}:r=${FRAMES_PER_SECOND}:d=${seconds}[${last}]`)
  const step = (filter: string): void => {
    const to = `step${filters.length}`
    filters.push(`[${last}]${filter}[${to}]`)
    last = to
  }
  const over = ({ input, fromMs, toMs }: Clip, { x, y }: Pick<Box, 'x' | 'y'>): void => {
    const shown = `clip${input}`
    filters.push(`[${input}:v]setpts=PTS-STARTPTS+${fromMs / 1000}/TB[${shown}]`)
    const to = `step${filters.length}`
    const when = `enable='between(t,${fromMs / 1000},${toMs / 1000})'`
    filters.push(`[${last}][${shown}]overlay=x=${x}:y=${y}:eof_action=pass:${when}[${to}]`)
    last = to
  }
  tilesOf(scene).forEach((box, at) => {
    const { name, clips } = tiles[at]!
    const { x, y, width: w, height: h } = box
    step(`drawbox=x=${x}:y=${y}:w=${w}:h=${h}:color=${TILE}:t=fill`)
    const file = `name-${at}.txt`
    files.push({ name: file, content: Buffer.from(name === '' ? ' ' : name) })
    const size = Math.max(12, Math.round(h / 10))
    step(
      `drawtext=textfile=${file}:expansion=none:fontcolor=white:fontsize=${size}:x=${x}+(${w}-tw)/2:y=${y}+(${h}-th)/2`,
    )
    for (const clip of clips) over(clip, box)
  })
  for (const clip of screens) over(clip, { x: 0, y: 0 })
  const sound = mixed(scene.sounds, seconds, 'sound', filters)
  return { filters, files, picture: last, sound }
}

/** All of these sounds together, each from its time on, for so long. Answers the label. */
export function mixed(
  sounds: Scene['sounds'],
  seconds: number,
  label: string,
  filters: string[],
  layout: 'mono' | 'stereo' = 'stereo',
): string | undefined {
  if (sounds.length === 0) return undefined
  const each = sounds.map(({ input, fromMs }) => {
    const one = `${label}${input}`
    // Silence is put in where a clock drifted.
    filters.push(
      `[${input}:a]aresample=48000:async=1000:first_pts=0,aformat=channel_layouts=${layout},adelay=${Math.round(fromMs)}:all=1[${one}]`,
    )
    return `[${one}]`
  })
  // Nobody is quieter for others being there; what is too loud together is held down.
  const together =
    each.length > 1 ? `amix=inputs=${each.length}:normalize=0,alimiter=limit=0.95:level=false,` : ''
  filters.push(`${each.join('')}${together}apad,atrim=end=${seconds}[${label}]`)
  return label
}
