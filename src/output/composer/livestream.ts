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
import { startFfmpeg, type FfmpegChild } from '../ffmpeg.ts'
import type { Piece } from './matroska.ts'
import { addressOf, bare, type MayReach } from './reach.ts'
import type { Sink } from './sink.ts'

export interface LivestreamOptions {
  folder: string
  ffmpegBin: string
  log: ComposerLog
  targets: readonly { url: string; streamKey: string }[]
  mayReach: MayReach
  /** The certificate authorities for servers over TLS. Default: those of the system. */
  caFile?: string | undefined
}

/** ffmpeg with OpenSSL does not find them by itself. */
const CA_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
]
/** How long a name that leads nowhere is left alone. */
const LOOK_AGAIN_MS = 10_000

export class LivestreamSink implements Sink {
  readonly neededBytes = 0
  readonly #feeds: Feed[]

  constructor(options: LivestreamOptions) {
    this.#feeds = options.targets.map(({ url, streamKey }, number) => {
      const target = new Target(options, placeOf(url, streamKey), number)
      return new Feed({
        start: () => target.start(),
        // The output of ffmpeg may contain the key.
        onFailed: () =>
          options.log.warn({ target: number }, 'failed to send to the server of a livestream; trying again'),
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

/** Looks a server up, and then starts an ffmpeg that connects to what was found. */
class Target {
  readonly #options: LivestreamOptions
  readonly #place: Place
  readonly #number: number
  #address: string | undefined
  #isLooking = false
  #lookAt = 0
  #runs = 0

  constructor(options: LivestreamOptions, place: Place, number: number) {
    this.#options = options
    this.#place = place
    this.#number = number
    this.#look()
  }

  start(): FfmpegChild | undefined {
    const address = this.#address
    if (address === undefined) {
      this.#look()
      return undefined
    }
    // The name may lead elsewhere the next time.
    this.#address = undefined
    const { folder, ffmpegBin, caFile = CA_FILES.find(existsSync) } = this.#options
    // A file of its own for each run, because the previous one may still be ending.
    const keyFile = join(folder, `${KEY_FILE}${this.#number}-${++this.#runs}`)
    writeFileSync(keyFile, keyFileOf(this.#place), { mode: 0o600 })
    const one = startFfmpeg(ffmpegBin, senderArgs(this.#place, address, keyFile, caFile), folder)
    void one.ended.then(() => rmSync(keyFile, { force: true }))
    return one
  }

  #look(): void {
    if (this.#isLooking || performance.now() < this.#lookAt) return
    this.#isLooking = true
    const { mayReach, log } = this.#options
    void addressOf(this.#place.hostname, mayReach).then((address) => {
      this.#isLooking = false
      this.#address = address
      if (address !== undefined) return
      this.#lookAt = performance.now() + LOOK_AGAIN_MS
      log.warn({ target: this.#number }, 'found no address for the server of a livestream that it may go to')
    })
  }
}

export interface Place {
  protocol: string
  hostname: string
  port: string
  /** Name and password with their `@`, or nothing. */
  credentials: string
  /** What the server is asked for, and the key of the stream in it. */
  app: string
  playpath: string
}

/** The address of a livestream is `url`, a slash and the key (contract, outputs §3.4); some callers put all of it into `url`. */
export function placeOf(url: string, streamKey: string): Place {
  const { protocol, hostname, port, username, password, pathname, search } = new URL(url)
  const path = pathname.replace(/^\/+|\/+$/g, '')
  const cut = path.lastIndexOf('/')
  const isWhole = streamKey === '' && cut > 0
  return {
    protocol,
    hostname,
    port: port || (protocol === 'rtmps:' ? '443' : '1935'),
    credentials: username === '' ? '' : `${username}:${password}@`,
    app: isWhole ? path.slice(0, cut) : path + search,
    playpath: isWhole ? path.slice(cut + 1) + search : streamKey,
  }
}

/** Longer ones, and such with line breaks, cannot be handed over. */
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

/** What must be in no command line. The server learns its name, as we connect to its address. */
function keyFileOf({ protocol, hostname, port, app, playpath }: Place): string {
  const lines = [`rtmp_app=${app}`, `rtmp_tcurl=${protocol}//${hostname}:${port}/${app}`]
  return [...lines, ...(playpath === '' ? [] : [`rtmp_playpath=${playpath}`]), ''].join('\n')
}

function senderArgs(
  { protocol, hostname, port, credentials }: Place,
  address: string,
  keyFile: string,
  caFile: string | undefined,
): string[] {
  // Otherwise somebody could pretend to be the server and get the key. ffmpeg refuses these options without TLS.
  const trusted = caFile === undefined ? [] : ['-ca_file', caFile]
  const verified = ['-tls_verify', '1', '-verifyhost', bare(hostname), ...trusted]
  const sound = ['-c:a', 'aac', '-b:a', '128k', '-ar', '48000', '-af', 'aresample=async=1:first_pts=0']
  return [
    ...['-probesize', '32768'],
    ...['-f', 'matroska', '-i', 'pipe:0', '-map', '0:v?', '-map', '0:a?', '-c:v', 'copy', ...sound],
    ...['-fpre', keyFile, '-f', 'flv', '-flvflags', 'no_duration_filesize', '-rw_timeout', '10000000'],
    ...(protocol === 'rtmps:' ? verified : []),
    `${protocol}//${credentials}${address.includes(':') ? `[${address}]` : address}:${port}/`,
  ]
}
