/** Runs the system's ffmpeg and ffprobe. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { OutputFile } from '../output.ts'
import { lower } from './chromium.ts'

/** How much of a child's last output is kept for the log. */
const MAX_ERROR_BYTES = 2000

export interface FfmpegChild {
  child: ChildProcess
  /** Resolves with the error, or with undefined. */
  ended: Promise<string | undefined>
}

/** Starts an ffmpeg that reads from its standard input and ends with it, even if this process is killed. */
export function startFfmpeg(bin: string, args: readonly string[], folder: string): FfmpegChild {
  const child = spawn(bin, ['-hide_banner', '-loglevel', 'error', ...args], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  // It may end before everything is written; `ended` reports that.
  child.stdin.on('error', () => undefined)
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => (words = (words + String(chunk)).slice(-MAX_ERROR_BYTES)))
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `${words.trim().split('\n').at(-1) ?? ''} (${signal ?? code})`),
    )
  })
  return { child, ended }
}

/** @throws {Error} with the last line of its output */
export async function runFfmpeg(bin: string, args: readonly string[], folder: string): Promise<void> {
  const { child, ended } = startFfmpeg(bin, ['-nostdin', ...args], folder)
  // Nobody waits for its result in real time, so it runs at a lower priority.
  if (child.pid !== undefined) lower(child.pid)
  child.stdin!.end()
  const problem = await ended
  if (problem !== undefined) throw new Error(`ffmpeg failed: ${problem}`)
}

export interface Probe {
  format: string
  duration: number | undefined
  resolution: { width: number; height: number } | undefined
  /** Keyed by kind: `video`, `audio`. */
  codecs: Record<string, string>
}

/** @throws {Error} if it is not a media file */
export async function probe(ffmpegBin: string, file: string): Promise<Probe> {
  const bin = join(dirname(ffmpegBin), 'ffprobe')
  const args = ['-v', 'error', '-show_format', '-show_streams', '-of', 'json', file]
  const { stdout } = await promisify(execFile)(bin, args, { maxBuffer: 4 * 1024 * 1024 })
  const { format = {}, streams = [] } = JSON.parse(stdout) as {
    format?: { format_name?: string; duration?: string }
    streams?: { codec_type: string; codec_name: string; width?: number; height?: number }[]
  }
  const video = streams.find(({ codec_type: kind }) => kind === 'video')
  return {
    format: format.format_name ?? '',
    duration: format.duration === undefined ? undefined : Number(format.duration),
    resolution: video ? { width: video.width ?? 0, height: video.height ?? 0 } : undefined,
    codecs: Object.fromEntries(streams.map(({ codec_type: kind, codec_name: name }) => [kind, name])),
  }
}

export function metaOf({ format, duration, resolution }: Probe): NonNullable<OutputFile['meta']> {
  return { format, ...(duration !== undefined && { duration }), ...(resolution && { resolution }) }
}
