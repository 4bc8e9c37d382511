import { Refusal } from '../protocol/errors.ts'
import type { MediaLog } from './log.ts'
import { startMediasoup } from './mediasoup.ts'
import type { Sfu } from './sfu.ts'
import { MediaUnreachable, WorkerUnusable } from './start-errors.ts'

export { MediaStartError } from './start-errors.ts'

export interface SfuOptions {
  /** Path of the media worker's binary; undefined where there is none. */
  workerBin: string | undefined
  /** One sentence on why there is no worker and what to do; used when `workerBin` is undefined. */
  unavailableReason?: string | undefined
  /** How many workers; usually one per core. */
  workers: number
  /** Worker `i` listens on `firstPort + i`, over UDP and over TCP. */
  firstPort: number
  /** HOST: loopback, a single address, `0.0.0.0` for all IPv4 addresses or `::` for all of both families. */
  listenAddress: string
  /**
   * What clients are told to send to, as an address or a name that resolves. Default: `listenAddress`, or this machine's
   * first address of each family where that stands for all.
   */
  announcedAddress?: string | undefined
  /** Aborted when the program is told to stop: a start is given up, and a worker that ends is not replaced. */
  stopping?: AbortSignal | undefined
  log?: MediaLog | undefined
}

/**
 * The media server, or one that says why it is not available when there is no worker to start.
 * @throws {MediaStartError} when a port is taken, an address is not this machine's, or no client could reach what is announced
 * @throws the reason of `stopping` when the program is told to stop
 */
export async function createSfu(options: SfuOptions): Promise<Sfu> {
  if (options.workerBin === undefined) {
    return unavailableSfu(options.unavailableReason ?? noWorker)
  }
  try {
    return await startMediasoup({ ...options, workerBin: options.workerBin })
  } catch (error) {
    if (error instanceof MediaUnreachable) {
      options.log?.error({ err: error }, 'media does not answer where it is announced')
      return unavailableSfu(`Media is off: ${error.message}.`)
    }
    if (!(error instanceof WorkerUnusable)) throw error
    options.log?.error({ err: error }, 'the media worker does not start')
    return unavailableSfu(
      `Media is off: the media worker at ${options.workerBin} does not start; run "node scripts/media-worker.mjs" to get it again.`,
    )
  }
}

const noWorker =
  'Media is off: there is no media worker on this machine; run "node scripts/media-worker.mjs" to get it.'

function unavailableSfu(reason: string): Sfu {
  return {
    status: { available: false, reason, isComing: false },
    openRouter: () => Promise.reject(new Refusal('MEDIA_UNAVAILABLE', { message: reason })),
    usage: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  }
}
