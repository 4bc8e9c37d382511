import { Refusal } from '../protocol/errors.ts'
import type { MediaLog } from './log.ts'
import { startMediasoup } from './mediasoup.ts'
import type { Sfu } from './sfu.ts'
import { WorkerUnusable } from './start-errors.ts'

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
  /** The address that HOST names: loopback, a single address, or `0.0.0.0` for all of them. */
  listenAddress: string
  /** What clients are told to send to. Default: `listenAddress`, or this machine's first IPv4 address when that is `0.0.0.0`. */
  announcedAddress?: string | undefined
  log?: MediaLog | undefined
}

/**
 * The media server, or one that says why it is not available when there is no worker to start.
 * @throws {MediaStartError} when a port is taken or an address is not this machine's.
 */
export async function createSfu(options: SfuOptions): Promise<Sfu> {
  if (options.workerBin === undefined) {
    return unavailableSfu(options.unavailableReason ?? noWorker)
  }
  try {
    return await startMediasoup({ ...options, workerBin: options.workerBin })
  } catch (error) {
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
    status: { available: false, reason },
    openRouter: () => Promise.reject(new Refusal('MEDIA_UNAVAILABLE', { message: reason })),
    usage: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  }
}
