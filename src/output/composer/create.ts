/** Creates the engines that need a browser: recordings, HLS and livestreams. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { Refusal } from '../../protocol/errors.ts'
import type {
  HlsConfig,
  HlsEngine,
  LivestreamConfig,
  OutputEngine,
  OutputFile,
  OutputListener,
  OutputOrder,
  RecordingConfig,
  ThumbnailOrder,
} from '../output.ts'
import type { Browsers } from './attempt.ts'
import { compositionsFor, lookOf } from './budget.ts'
import { temporaryFolder } from './chromium.ts'
import { Compositions, type ComposerLog, type Wanted } from './compositions.ts'
import { finishHls, HlsSink } from './hls.ts'
import { forgetKeys, isUsableKey, LivestreamSink } from './livestream.ts'
import { whyUnavailable, type Programs } from '../programs.ts'
import { hostProblem, isThisMachine, type MayReach } from './reach.ts'
import { finishRecording, RecordingSink } from './recording.ts'
import { ComposedRun, type RunOptions } from './run.ts'
import { both, type Sink } from './sink.ts'
import { takeThumbnail } from './thumbnail.ts'

export interface ComposerOptions extends Omit<Browsers, 'chromiumBin'>, Programs {
  /** Undefined: as many as the cores allow. */
  maxCompositions: number | undefined
  cores: number
  diskReserveBytes: number
  /** Returns the free space of a folder's disk. Default: asks the system. */
  freeBytes?: ((folder: string) => Promise<number>) | undefined
  log: ComposerLog
}

export interface Composer {
  recording: OutputEngine<RecordingConfig>
  hls: HlsEngine
  livestream: OutputEngine<LivestreamConfig>
}

/** What it takes to make an output of one kind. */
type Making = Pick<Wanted, 'kind' | 'codec' | 'takesAnyCodec' | 'patienceMs'> & Pick<RunOptions, 'openSink'>

export function createComposer(options: ComposerOptions): Composer {
  const { chromiumBin, ffmpegBin = '', maxCompositions, cores, diskReserveBytes, log } = options
  const { mayReach } = options.guard
  const unavailable = whyUnavailable(options)
  // Folders that a killed server left behind.
  const left = existsSync(options.folder) ? readdirSync(options.folder) : []
  for (const name of left) rmSync(temporaryFolder(name), { recursive: true, force: true })
  rmSync(options.folder, { recursive: true, force: true })
  const compositions = new Compositions({
    browsers: { ...options, chromiumBin: chromiumBin ?? '' },
    max: maxCompositions ?? compositionsFor(cores),
    log,
  })

  function engine<Config extends RecordingConfig | HlsConfig | LivestreamConfig>(
    make: (order: OutputOrder<Config>, listener: OutputListener) => Making,
    recover: OutputEngine<Config>['recover'],
  ): OutputEngine<Config> {
    const runs = new Set<ComposedRun>()
    return {
      unavailable,
      start(order, listener) {
        assertReadable(order.config.templateUrl, mayReach)
        const { openSink, ...wanted } = make(order, listener)
        const run = new ComposedRun({
          compositions,
          order,
          wanted: { ...wanted, composition: lookOf(order.config) },
          openSink,
          listener,
          reserveBytes: diskReserveBytes,
          freeBytes: options.freeBytes,
          log,
        })
        runs.add(run)
        void run.ended.then(() => runs.delete(run))
        return run
      },
      recover,
      async close() {
        await Promise.allSettled([...runs].map((run) => run.stop()))
        await compositions.close()
      },
    }
  }

  const recovered = (folder: string, fileFormat: 'mp4' | 'webm'): Promise<OutputFile[]> =>
    finishRecording({ folder, ffmpegBin, fileFormat })

  /** Also keeps a file, if that was requested. */
  const recordedToo = (
    sink: Sink,
    record: boolean,
    folder: string,
    onError: (cause: unknown) => void,
  ): Sink =>
    record ? both(sink, new RecordingSink({ folder, ffmpegBin, fileFormat: 'mp4', onError })) : sink

  return {
    recording: engine<RecordingConfig>(
      ({ folder, config: { fileFormat, patienceMs } }) => ({
        kind: 'recording',
        patienceMs,
        codec: fileFormat === 'webm' ? 'vp8' : 'avc1',
        // H264 can be converted to VP8 at the end if necessary.
        takesAnyCodec: fileFormat === 'webm',
        openSink: (onError) => new RecordingSink({ folder, ffmpegBin, fileFormat, onError }),
      }),
      ({ folder, config }) => recovered(folder, config.fileFormat),
    ),
    hls: Object.assign(
      engine<HlsConfig>(
        ({ folder, config }, listener) => ({
          kind: 'hls',
          codec: 'avc1',
          takesAnyCodec: false,
          openSink: (onError) => {
            const onPlayable = (): void => listener.playable()
            const hls = new HlsSink({ folder, ffmpegBin, log, onPlayable, onError })
            return recordedToo(hls, config.record, folder, onError)
          },
        }),
        async ({ folder, config }) => [
          ...(await finishHls(folder, ffmpegBin)),
          ...(config.record ? await recovered(folder, 'mp4') : []),
        ],
      ),
      { takeThumbnail: (order: ThumbnailOrder) => takeThumbnail(ffmpegBin, order) },
    ),
    livestream: engine<LivestreamConfig>(
      ({ folder, config: { targets, record } }) => {
        assertReachable(targets, mayReach)
        return {
          kind: 'livestream',
          codec: 'avc1',
          takesAnyCodec: false,
          openSink: (onError) =>
            recordedToo(
              new LivestreamSink({ folder, ffmpegBin, log, targets, mayReach }),
              record,
              folder,
              onError,
            ),
        }
      },
      async ({ folder, config: { record } }) => {
        await forgetKeys(folder)
        return record ? recovered(folder, 'mp4') : []
      },
    ),
  }
}

/** Only a page that came safely may capture itself. @throws {Refusal} INVALID_REQUEST */
function assertReadable(templateUrl: string | null, mayReach: MayReach): void {
  if (templateUrl === null) return
  const { protocol, hostname } = URL.canParse(templateUrl)
    ? new URL(templateUrl)
    : { protocol: '', hostname: '' }
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isThisMachine(hostname))
  const problem = isSafe ? hostProblem(hostname, mayReach) : 'must be an https address'
  if (problem !== undefined) throw new Refusal('INVALID_REQUEST', { message: `The templateUrl ${problem}.` })
}

/** @throws {Refusal} INVALID_LIVESTREAM_CONFIG */
function assertReachable(targets: LivestreamConfig['targets'], mayReach: MayReach): void {
  for (const { url, streamKey } of targets) {
    if (!isUsableKey(streamKey)) throw new Refusal('INVALID_LIVESTREAM_CONFIG')
    const problem = hostProblem(new URL(url).hostname, mayReach)
    if (problem !== undefined)
      throw new Refusal('INVALID_LIVESTREAM_CONFIG', { message: `The url of an output ${problem}.` })
  }
}
