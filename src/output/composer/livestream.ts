/** Sends a composition to RTMP servers, each by an ffmpeg of its own, so that a dead one stops no other. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OutputFile } from '../output.ts'
import type { ComposerLog } from './compositions.ts'
import { Feed } from './feed.ts'
import { startFfmpeg, type FfmpegChild } from './ffmpeg.ts'
import type { Piece } from './matroska.ts'
import type { Sink } from './sink.ts'

export interface LivestreamOptions {
  folder: string
  ffmpegBin: string
  log: ComposerLog
  targets: readonly { url: string; streamKey: string }[]
}

export class LivestreamSink implements Sink {
  readonly neededBytes = 0
  readonly #feeds: Feed[]

  constructor({ folder, ffmpegBin, log, targets }: LivestreamOptions) {
    this.#feeds = targets.map(
      ({ url, streamKey }, target) =>
        new Feed({
          start: () => startSender(ffmpegBin, folder, target, url, streamKey),
          // What ffmpeg says may have the key in it.
          onFailed: () => log.warn({ target }, 'lost the server of a livestream and tries it again'),
        }),
    )
  }

  take(piece: Piece, init: Buffer): void {
    for (const feed of this.#feeds) feed.take(piece, init)
  }

  async finish(): Promise<OutputFile[]> {
    await Promise.all(this.#feeds.map((feed) => feed.finish()))
    return []
  }
}

/** Longer ones, and such with line breaks, cannot be handed over. */
const MAX_KEY_LENGTH = 900

export function isUsableKey(streamKey: string): boolean {
  // eslint-disable-next-line no-control-regex -- these are what it is about
  return streamKey.length <= MAX_KEY_LENGTH && !/[\u0000-\u001f\u007f]/.test(streamKey)
}

/** Arguments of a program can be read by everybody on the machine, so the key is in a file that only we may read. */
function startSender(
  bin: string,
  folder: string,
  target: number,
  url: string,
  streamKey: string,
): FfmpegChild {
  const preset = join(folder, `target-${target}`)
  writeFileSync(preset, streamKey === '' ? '' : `rtmp_playpath=${streamKey}\n`, { mode: 0o600 })
  const one = startFfmpeg(bin, senderArgs(url, preset), folder)
  void one.ended.then(() => rmSync(preset, { force: true }))
  return one
}

function senderArgs(url: string, preset: string): string[] {
  return [
    ...['-probesize', '32768'],
    ...['-f', 'matroska', '-i', 'pipe:0', '-map', '0:v?', '-map', '0:a?'],
    ...[
      '-c:v',
      'copy',
      '-c:a',
      'aac',
      '-b:a',
      '128k',
      '-ar',
      '48000',
      '-af',
      'aresample=async=1:first_pts=0',
    ],
    ...['-fpre', preset, '-f', 'flv', '-flvflags', 'no_duration_filesize', '-rw_timeout', '10000000', url],
  ]
}
