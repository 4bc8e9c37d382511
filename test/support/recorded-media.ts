/**
 * Real media for tests of recordings: frames encoded by ffmpeg, as RTP, and examination of files with ffprobe and
 * ffmpeg.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

function run(name: 'ffmpeg' | 'ffprobe', given: string[]): { stdout: string; stderr: string } {
  const { stdout, stderr, status } = spawnSync(name, given, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (status !== 0) throw new Error(`${name} ${given.join(' ')}: ${stderr}`)
  return { stdout, stderr }
}

function encoded(given: string[], extension: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'anteroom-media-'))
  try {
    const path = join(folder, `media.${extension}`)
    run('ffmpeg', ['-v', 'error', '-y', ...given, path])
    return readFileSync(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const ENCODERS = {
  vp8: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-auto-alt-ref', '0', '-b:v', '400k'],
  vp9: [
    '-c:v',
    'libvpx-vp9',
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    '-auto-alt-ref',
    '0',
    '-lag-in-frames',
    '0',
  ],
  av1: ['-c:v', 'libsvtav1', '-preset', '12', '-svtav1-params', 'pred-struct=1'],
  h264: [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-profile:v',
    'baseline',
    '-bf',
    '0',
  ],
}
export type VideoName = keyof typeof ENCODERS

/** Encodes the video of a libavfilter source into frames; H.264 in Annex B, one access unit each. */
export function pictures(codec: VideoName, source: string, given: string[] = []): Buffer[] {
  const input = ['-f', 'lavfi', '-i', source, ...given, ...ENCODERS[codec], '-pix_fmt', 'yuv420p']
  if (codec === 'h264') return accessUnits(encoded([...input, '-bsf:v', 'h264_metadata=aud=insert'], 'h264'))
  const file = encoded(input, 'ivf')
  const frames: Buffer[] = []
  for (let at = file.readUInt16LE(6); at < file.length;) {
    const length = file.readUInt32LE(at)
    frames.push(file.subarray(at + 12, at + 12 + length))
    at += 12 + length
  }
  return frames
}

function accessUnits(stream: Buffer): Buffer[] {
  const delimiterUnit = Buffer.from([0, 0, 0, 1, 9])
  const units: Buffer[] = []
  for (let at = stream.indexOf(delimiterUnit); at >= 0;) {
    const next = stream.indexOf(delimiterUnit, at + 1)
    units.push(stream.subarray(at, next < 0 ? undefined : next))
    at = next
  }
  return units
}

/** Encodes the sound of a libavfilter source into Opus packets of 20 ms. */
export function sounds(source: string): Buffer[] {
  const given = ['-f', 'lavfi', '-i', source, '-ar', '48000', '-ac', '2', '-c:a', 'libopus', '-b:a', '48k']
  const file = encoded([...given, '-application', 'audio', '-frame_duration', '20', '-vbr', 'off'], 'ogg')
  const packets: Buffer[] = []
  let open: Buffer[] = []
  for (let at = 0; at < file.length;) {
    const laces = file.subarray(at + 27, at + 27 + file[at + 26]!)
    at += 27 + laces.length
    for (const lace of laces) {
      open.push(file.subarray(at, at + lace))
      at += lace
      if (lace === 255) continue
      packets.push(Buffer.concat(open))
      open = []
    }
  }
  // The first two are headers.
  return packets.slice(2)
}

const PACKET_BYTES = 1100

/** Splits a VP8 frame into payloads (RFC 7741), with a picture id as browsers send it. */
export function vp8Payloads(frame: Buffer, pictureId: number): Buffer[] {
  const payloads: Buffer[] = []
  for (let at = 0; at < frame.length; at += PACKET_BYTES) {
    const head = Buffer.from([
      at === 0 ? 0x90 : 0x80,
      0x80,
      0x80 | ((pictureId >> 8) & 0x7f),
      pictureId & 0xff,
    ])
    payloads.push(Buffer.concat([head, frame.subarray(at, at + PACKET_BYTES)]))
  }
  return payloads
}

/** Splits a VP9 frame into payloads (RFC 9628), in one layer. */
export function vp9Payloads(frame: Buffer, pictureId: number): Buffer[] {
  // The sixth bit of the frame header is 0 in a key frame of profile 0.
  const isInter = (frame[0]! & 0x04) !== 0
  const payloads: Buffer[] = []
  for (let at = 0; at < frame.length; at += PACKET_BYTES) {
    const isLast = at + PACKET_BYTES >= frame.length
    const flags = 0x80 | (isInter ? 0x40 : 0) | (at === 0 ? 0x08 : 0) | (isLast ? 0x04 : 0)
    const head = Buffer.from([flags, 0x80 | ((pictureId >> 8) & 0x7f), pictureId & 0xff])
    payloads.push(Buffer.concat([head, frame.subarray(at, at + PACKET_BYTES)]))
  }
  return payloads
}

/** Splits an H.264 access unit into payloads (RFC 6184): units that fit are sent alone, larger ones in fragments. */
export function h264Payloads(unit: Buffer): Buffer[] {
  const nals = unit
    .toString('latin1')
    .split('\0\0\x01')
    // A start code may have one more zero.
    .map((nal) => nal.replace(/\0$/, ''))
    .filter((nal) => nal.length > 0)
    .map((nal) => Buffer.from(nal, 'latin1'))
  const parameterSets = nals.filter((nal) => [7, 8].includes(nal[0]! & 0x1f))
  const payloads: Buffer[] = []
  if (parameterSets.length > 0) {
    const pieces = parameterSets.flatMap((nal) => [Buffer.from([nal.length >> 8, nal.length & 0xff]), nal])
    payloads.push(Buffer.concat([Buffer.from([0x78]), ...pieces]))
  }
  for (const nal of nals) {
    const type = nal[0]! & 0x1f
    if (type >= 7) continue
    if (nal.length <= PACKET_BYTES) payloads.push(nal)
    else
      for (let at = 1; at < nal.length; at += PACKET_BYTES) {
        const flags = (at === 1 ? 0x80 : 0) | (at + PACKET_BYTES >= nal.length ? 0x40 : 0)
        const head = Buffer.from([(nal[0]! & 0xe0) | 28, flags | type])
        payloads.push(Buffer.concat([head, nal.subarray(at, at + PACKET_BYTES)]))
      }
  }
  return payloads
}

/** Splits an AV1 temporal unit, whose OBUs contain their lengths, into payloads. */
export function av1Payloads(unit: Buffer): Buffer[] {
  const elements: Buffer[] = []
  for (let at = 0; at < unit.length;) {
    const headBytes = unit[at]! & 0x04 ? 2 : 1
    let [length, next, shift] = [0, at + headBytes, 0]
    do {
      length += (unit[next]! & 0x7f) * 2 ** shift
      shift += 7
    } while (unit[next++]! & 0x80)
    const head = Buffer.from(unit.subarray(at, at + headBytes))
    head[0]! &= 0xfd
    // The temporal delimiter is not sent.
    if (head[0]! >> 3 !== 2) elements.push(Buffer.concat([head, unit.subarray(next, next + length)]))
    at = next + length
  }
  const isKey = elements.some((element) => element[0]! >> 3 === 1)
  const payloads: Buffer[] = []
  for (const [number, element] of elements.entries()) {
    for (let at = 0; at < element.length; at += PACKET_BYTES) {
      const goesOn = at + PACKET_BYTES < element.length
      const isFirst = number === 0 && at === 0
      const flags = (at > 0 ? 0x80 : 0) | (goesOn ? 0x40 : 0) | 0x10 | (isFirst && isKey ? 0x08 : 0)
      payloads.push(Buffer.concat([Buffer.from([flags]), element.subarray(at, at + PACKET_BYTES)]))
    }
  }
  return payloads
}

/** Creates the RTP packets of one stream. */
export class RtpWriter {
  readonly #ssrc: number
  readonly #payloadType: number
  #sequence: number

  constructor({
    ssrc,
    payloadType,
    sequence = 65_500,
  }: {
    ssrc: number
    payloadType: number
    sequence?: number
  }) {
    this.#ssrc = ssrc
    this.#payloadType = payloadType
    this.#sequence = sequence
  }

  /** Creates one packet per payload; the last one has the marker. */
  packets(payloads: Buffer[], timestamp: number): Buffer[] {
    return payloads.map((payload, at) => {
      const header = Buffer.alloc(12)
      header[0] = 0x80
      header[1] = (at === payloads.length - 1 ? 0x80 : 0) | this.#payloadType
      header.writeUInt16BE(this.#sequence, 2)
      header.writeUInt32BE(Math.round(timestamp) % 2 ** 32, 4)
      header.writeUInt32BE(this.#ssrc, 8)
      this.#sequence = (this.#sequence + 1) & 0xffff
      return Buffer.concat([header, payload])
    })
  }
}

export interface Probe {
  duration: number
  format: string
  /** Keyed by kind. */
  streams: Partial<
    Record<'audio' | 'video', { codec: string; frames: number; width?: number; height?: number }>
  >
}

/** Returns ffprobe's description of a file, with its frames decoded and counted. Throws if it cannot be opened. */
export function probe(path: string): Probe {
  const { stdout } = run('ffprobe', [
    '-v',
    'error',
    '-count_frames',
    '-show_format',
    '-show_streams',
    '-of',
    'json',
    path,
  ])
  const { format, streams } = JSON.parse(stdout) as {
    format: { duration?: string; format_name: string }
    streams: {
      codec_type: 'audio' | 'video'
      codec_name: string
      nb_read_frames?: string
      width?: number
      height?: number
    }[]
  }
  return {
    duration: Number(format.duration),
    format: format.format_name,
    streams: Object.fromEntries(
      streams.map(({ codec_type, codec_name, nb_read_frames, width, height }) => [
        codec_type,
        { codec: codec_name, frames: Number(nb_read_frames ?? 0), width, height },
      ]),
    ),
  }
}

/** Returns the errors of ffmpeg while it decodes a file; empty if there are none. */
export function decodeErrors(path: string): string {
  return run('ffmpeg', ['-v', 'error', '-i', path, '-enc_time_base', '-1', '-f', 'null', '-']).stderr
}

/** The times of the frames in seconds, and the brightness of each from 0 to 255. */
export function brightness(path: string): { time: number; luma: number }[] {
  const filter = 'signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-'
  const { stdout } = run('ffmpeg', [
    '-v',
    'error',
    '-i',
    path,
    '-an',
    '-fps_mode',
    'passthrough',
    '-vf',
    filter,
    '-f',
    'null',
    '-',
  ])
  return [...stdout.matchAll(/pts_time:([\d.-]+)\s+lavfi\.signalstats\.YAVG=([\d.]+)/g)].map(
    ([, time, luma]) => ({
      time: Number(time),
      luma: Number(luma),
    }),
  )
}

/** The times in seconds at which sound starts after at least half a second of silence. */
export function loudAt(path: string): number[] {
  const { stderr } = run('ffmpeg', [
    '-hide_banner',
    '-i',
    path,
    '-vn',
    '-af',
    'silencedetect=n=-30dB:d=0.5',
    '-f',
    'null',
    '-',
  ])
  const [hours, minutes, seconds] = (/.*time=(\d+):(\d+):([\d.]+)/s.exec(stderr) ?? []).slice(1).map(Number)
  const end = hours! * 3600 + minutes! * 60 + seconds!
  // ffmpeg reports the end of the file as well.
  return [...stderr.matchAll(/silence_end: ([\d.]+)/g)]
    .map(([, time]) => Number(time))
    .filter((time) => time < end - 0.1)
}

/** The peak level of a span in seconds, in dB below full scale. */
export function loudest(path: string, from: number, to: number): number {
  const filter = `atrim=${from}:${to},volumedetect`
  const { stderr } = run('ffmpeg', ['-hide_banner', '-i', path, '-vn', '-af', filter, '-f', 'null', '-'])
  return Number(/max_volume: (-?[\d.]+) dB/.exec(stderr)?.[1] ?? -Infinity)
}
