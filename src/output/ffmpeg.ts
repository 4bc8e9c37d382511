/** The one way to ffmpeg and ffprobe, which are the system's. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { OutputFile } from './output.ts'
import { lower } from './priority.ts'

/** How much of its last words is kept. */
const SAID_BYTES = 2000
const QUIET = ['-hide_banner', '-loglevel', 'error']

export interface FfmpegChild {
  child: ChildProcess
  /** What it said last. */
  said: () => string
  /** Resolves with the error, or with undefined. */
  ended: Promise<string | undefined>
}

/** Starts an ffmpeg that reads from its standard input and ends with it, even if this process is killed. */
export function startFfmpeg(bin: string, args: readonly string[], folder: string): FfmpegChild {
  return follow(spawn(bin, [...QUIET, ...args], { cwd: folder, stdio: ['pipe', 'ignore', 'pipe'] }))
}

/** Starts one, at low priority, that writes to its standard output and ends when nobody reads that any more. */
export function readFfmpeg(bin: string, args: readonly string[]): FfmpegChild {
  const one = follow(spawn(bin, [...QUIET, '-nostdin', ...args], { stdio: ['ignore', 'pipe', 'pipe'] }))
  if (one.child.pid !== undefined) lower(one.child.pid)
  return one
}

function follow(child: ChildProcess): FfmpegChild {
  // It may end before everything is written; `ended` reports that.
  child.stdin?.on('error', () => undefined)
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-SAID_BYTES)))
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `${said.trim().split('\n').at(-1) ?? ''} (${signal ?? code})`),
    )
  })
  return { child, said: () => said.trim(), ended }
}

/**
 * The shell waits for the program and for the end of its own input, which comes when this process is gone, however that happened.
 * A program that reads no input would go on without us.
 */
const SUPERVISED = `exec 3<&0
nice -n 19 "$@" </dev/null 3<&- &
job=$!
{ read -r line <&3; kill -KILL $job; } >/dev/null 2>&1 &
watch=$!
wait $job
code=$?
kill -KILL $watch
exit $code`

/**
 * Runs one in the background: at the lowest priority, and never longer than this process. It overwrites what it makes.
 * @throws {Error} with what it said last; the reason of `signal` if that ended it
 */
export async function runFfmpeg(
  bin: string,
  args: readonly string[],
  { cwd, signal }: { cwd?: string; signal?: AbortSignal } = {},
): Promise<void> {
  signal?.throwIfAborted()
  const { child, said, ended } = follow(
    spawn('/bin/sh', ['-c', SUPERVISED, 'sh', bin, ...QUIET, '-nostdin', '-y', ...args], {
      cwd,
      stdio: ['pipe', 'ignore', 'pipe'],
      // A group of its own, so that shell and program end together.
      detached: true,
    }),
  )
  const end = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  child.once('spawn', () => {
    if (signal?.aborted) end()
    else signal?.addEventListener('abort', end, { once: true })
  })
  child.once('exit', () => child.stdin!.destroy())
  const problem = await ended
  signal?.removeEventListener('abort', end)
  if (problem === undefined) return
  signal?.throwIfAborted()
  throw new Error(`ffmpeg failed: ${said() || problem}`)
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
