/**
 * Sends a composition to RTMP servers, each through its own ffmpeg, so that a failing server does not affect the
 * others.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputFile } from '../output.ts'
import type { ComposerLog } from './compositions.ts'
import { Feed } from './feed.ts'
import { startFfmpeg } from './ffmpeg.ts'
import type { Piece } from './matroska.ts'
import type { Sink } from './sink.ts'

export interface LivestreamOptions {
  folder: string
  ffmpegBin: string
  log: ComposerLog
  targets: readonly { url: string; streamKey: string }[]
  /** The certificate authorities for servers over TLS. Default: those of the system. */
  caFile?: string | undefined
}

/** ffmpeg with OpenSSL does not find them by itself. */
const CA_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
]

export class LivestreamSink implements Sink {
  readonly neededBytes = 0
  readonly #feeds: Feed[]

  constructor({ folder, ffmpegBin, log, targets, caFile = CA_FILES.find(existsSync) }: LivestreamOptions) {
    this.#feeds = targets.map(({ url, streamKey }, target) => {
      let runs = 0
      return new Feed({
        start: () => {
          // A file of its own for each run, because the previous one may still be ending.
          const keyFile = join(folder, `${KEY_FILE}${target}-${++runs}`)
          writeFileSync(keyFile, streamKey === '' ? '' : `rtmp_playpath=${streamKey}\n`, { mode: 0o600 })
          const one = startFfmpeg(ffmpegBin, senderArgs(url, keyFile, caFile), folder)
          void one.ended.then(() => rmSync(keyFile, { force: true }))
          return one
        },
        // The output of ffmpeg may contain the key.
        onFailed: () => log.warn({ target }, 'failed to send to the server of a livestream; trying again'),
      })
    })
  }

  take(piece: Piece, init: Buffer): void {
    for (const feed of this.#feeds) feed.take(piece, init)
  }

  async finish(): Promise<OutputFile[]> {
    await Promise.all(this.#feeds.map((feed) => feed.finish()))
    return []
  }
}

/** Longer keys, and those with line breaks, cannot be passed on. */
const MAX_KEY_LENGTH = 900

export function isUsableKey(streamKey: string): boolean {
  // eslint-disable-next-line no-control-regex -- it looks for control characters
  return streamKey.length <= MAX_KEY_LENGTH && !/[\u0000-\u001f\u007f]/.test(streamKey)
}

/**
 * The arguments of a program are visible to everybody on the machine, so the key is in a file that only this user may
 * read.
 */
const KEY_FILE = 'target-'

/** Removes the keys that a killed process left behind. */
export async function forgetKeys(folder: string): Promise<void> {
  const left = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(KEY_FILE))
  await Promise.all(left.map((name) => rm(join(folder, name))))
}

function senderArgs(url: string, keyFile: string, caFile: string | undefined): string[] {
  // Otherwise somebody could pretend to be the server and get the key. ffmpeg refuses these options without TLS.
  const verified = ['-tls_verify', '1', ...(caFile === undefined ? [] : ['-ca_file', caFile])]
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
    ...['-fpre', keyFile, '-f', 'flv', '-flvflags', 'no_duration_filesize', '-rw_timeout', '10000000'],
    ...(/^rtmps:/i.test(url) ? verified : []),
    url,
  ]
}
