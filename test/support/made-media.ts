/** Small files that ffmpeg makes of nothing, and what their pictures and sounds are. */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'

function ffmpeg(args: readonly string[]): Buffer {
  const { stdout, stderr, status } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args], {
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${String(stderr)}`)
  return stdout
}

export interface MadeMedia {
  /** A colour fills the picture; none without. */
  color?: string
  /** `320x180`. */
  size?: string
  /** Hz of the sound; none without. */
  tone?: number
  seconds: number
}

/** Makes a file, of the format that its name says. Answers its path and how long it is in bytes. */
export function makeMedia(
  folder: string,
  name: string,
  { color, size = '320x180', tone, seconds }: MadeMedia,
): { path: string; size: number } {
  const path = join(folder, name)
  const isWebm = name.endsWith('.webm')
  ffmpeg([
    ...(color === undefined ? [] : ['-f', 'lavfi', '-i', `color=c=${color}:s=${size}:r=15:d=${seconds}`]),
    ...(tone === undefined ? [] : ['-f', 'lavfi', '-i', `sine=f=${tone}:r=48000:d=${seconds}`]),
    ...(color === undefined || name.endsWith('.png')
      ? []
      : isWebm
        ? ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8']
        : ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']),
    ...(tone === undefined ? [] : ['-c:a', isWebm ? 'libopus' : 'aac']),
    path,
  ])
  return { path, size: statSync(path).size }
}

/** Red, green and blue at a place of the picture at a time, each 0–255. */
export function colorAt(path: string, seconds: number, x: number, y: number): [number, number, number] {
  const crop = `format=rgb24,crop=8:8:${x - 4}:${y - 4}:exact=1,scale=1:1:flags=area`
  const [red, green, blue] = ffmpeg([
    ...['-ss', String(seconds), '-i', path, '-frames:v', '1', '-vf', crop],
    ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
  ])
  return [red!, green!, blue!]
}

/** How loud a tone is in a channel within a span of seconds, as a share of full scale. */
export function toneIn(path: string, channel: 0 | 1, hz: number, from: number, to: number): number {
  const rate = 16_000
  const bytes = ffmpeg([
    ...['-i', path, '-vn', '-af', `pan=mono|c0=c${channel},atrim=${from}:${to}`],
    ...['-ar', String(rate), '-f', 's16le', '-'],
  ])
  let [real, imaginary] = [0, 0]
  const count = bytes.length / 2
  for (let at = 0; at < count; at++) {
    const sample = bytes.readInt16LE(at * 2) / 32_768
    const angle = (2 * Math.PI * hz * at) / rate
    real += sample * Math.cos(angle)
    imaginary += sample * Math.sin(angle)
  }
  return (2 * Math.hypot(real, imaginary)) / count
}
