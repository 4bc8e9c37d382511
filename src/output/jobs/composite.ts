/** One picture and one sound of several recordings, each at its time. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputFile } from '../output.ts'
import { probe, runFfmpeg } from '../ffmpeg.ts'
import type { Box } from './grid.ts'
import type { PlacedMark } from './job.ts'
import { drawMarks } from './marks.ts'
import { makeFile, MP4_END, MP4_PICTURE, MP4_SOUND } from './media.ts'
import { JobProblem } from './problem.ts'
import { drawScene, tilesOf, type Clip, type Lane, type Scene } from './scene.ts'

/** A file of somebody. */
export interface CompositePart {
  path: string
  /** Ms since the epoch. */
  startedAt: number
  endedAt: number
  /** Pictures of the same owner take the same place. */
  owner: string
  ownerName: string
  /** Whether it is of a screen. */
  isScreen: boolean
}

export interface CompositeOptions {
  ffmpegBin: string
  folder: string
  signal: AbortSignal
  parts: readonly CompositePart[]
  marks: readonly PlacedMark[]
  /** Owners who have a place also without a picture. */
  owners?: readonly { owner: string; ownerName: string }[]
  /** Of the whole. Default: from the first part to the last. */
  startedAt?: number
  endedAt?: number
  fileFormat: 'mp4' | 'webm'
}

const WIDTH = 1280
const HEIGHT = 720

const ENCODED = {
  mp4: { picture: MP4_PICTURE, sound: MP4_SOUND, end: MP4_END },
  webm: {
    picture: [
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-cpu-used',
      '6',
      '-b:v',
      '2500k',
      '-pix_fmt',
      'yuv420p',
    ],
    sound: ['-c:a', 'libopus', '-b:a', '96k', '-ar', '48000'],
    end: ['-f', 'webm'],
  },
}

/** @throws {JobProblem} none of the parts has a picture or a sound */
export async function makeComposite(options: CompositeOptions): Promise<OutputFile> {
  const { ffmpegBin, folder, parts, marks, fileFormat } = options
  const probed = await Promise.all(
    parts.map(async (part) => ({ ...part, found: await probe(ffmpegBin, part.path).catch(() => undefined) })),
  )
  const found = probed.filter((part) => part.found && Object.keys(part.found.codecs).length > 0)
  if (found.length === 0) throw new JobProblem('The recordings hold neither picture nor sound.')
  const startedAt = options.startedAt ?? Math.min(...found.map((part) => part.startedAt))
  const endedAt = options.endedAt ?? Math.max(...found.map((part) => part.endedAt))
  const span = (part: CompositePart) => ({
    fromMs: Math.max(0, part.startedAt - startedAt),
    toMs: part.endedAt - startedAt,
  })
  const names = new Map(options.owners?.map(({ owner, ownerName }) => [owner, ownerName]))
  for (const { owner, ownerName, isScreen } of found) if (!isScreen) names.set(owner, ownerName)
  const lanes = new Map<string, Lane & { clips: Clip[] }>(
    [...names].map(([owner, name]) => [owner, { name, clips: [] }]),
  )
  const screens: Clip[] = []
  found.forEach((part, input) => {
    if (part.found!.codecs.video === undefined) return
    const clip = { input, ...span(part) }
    if (part.isScreen) screens.push(clip)
    else lanes.get(part.owner)!.clips.push(clip)
  })
  const scene: Scene = {
    width: WIDTH,
    height: HEIGHT,
    durationMs: endedAt - startedAt,
    tiles: [...lanes.values()],
    screens,
    sounds: found.flatMap((part, input) =>
      part.found!.codecs.audio === undefined ? [] : [{ input, ...span(part) }],
    ),
  }
  const fitted = await fitAll(options, found, scene)
  const drawn = drawScene(scene)
  const marked = drawMarks(marks, { width: WIDTH, height: HEIGHT, beginsAt: startedAt, from: drawn.picture })
  for (const { name, content } of [...drawn.files, ...marked.files])
    await writeFile(join(folder, name), content)
  const { picture, sound, end } = ENCODED[fileFormat]
  const graph = [...drawn.filters, ...marked.filters].join(';')
  const args = [
    ...fitted.flatMap((path) => ['-i', path]),
    ...['-filter_complex', graph, '-map', `[${marked.last}]`],
    ...(drawn.sound === undefined ? [] : ['-map', `[${drawn.sound}]`, ...sound]),
    ...[...picture, '-t', String(scene.durationMs / 1000), ...end],
  ]
  const name = `composite.${fileFormat}`
  const contentType = `video/${fileFormat}`
  return makeFile(options, args, { ffmpegBin, name, contentType, startedAt, endedAt })
}

/**
 * Brings each picture to the size of its place. This takes a run of its own, because cameras change their size while they are
 * recorded, and ffmpeg then begins all of a graph anew.
 */
async function fitAll(
  options: CompositeOptions,
  parts: readonly CompositePart[],
  scene: Scene,
): Promise<string[]> {
  const boxes = new Map<number, Pick<Box, 'width' | 'height'>>()
  tilesOf(scene).forEach((box, at) => {
    for (const { input } of scene.tiles[at]!.clips) boxes.set(input, box)
  })
  for (const { input } of scene.screens) boxes.set(input, { width: scene.width, height: scene.height })
  const paths = []
  for (const [input, { path }] of parts.entries()) {
    const box = boxes.get(input)
    paths.push(box ? await fit(options, path, box, `fitted-${input}.mkv`) : path)
  }
  return paths
}

async function fit(
  { ffmpegBin, folder, signal }: CompositeOptions,
  path: string,
  { width, height }: Pick<Box, 'width' | 'height'>,
  name: string,
): Promise<string> {
  const size = `${width}:${height}`
  const filter = `scale=${size}:force_original_aspect_ratio=decrease,pad=${size}:(ow-iw)/2:(oh-ih)/2,setsar=1`
  const picture = ['-map', '0:v:0', '-vf', filter, '-fps_mode', 'vfr', '-c:v', 'libx264']
  const quality = ['-preset', 'ultrafast', '-crf', '18', '-pix_fmt', 'yuv420p']
  const sound = ['-map', '0:a?', '-c:a', 'copy']
  const args = ['-i', path, ...picture, ...quality, ...sound, name]
  await runFfmpeg(ffmpegBin, args, { cwd: folder, signal })
  return name
}
