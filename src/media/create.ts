import { mediaAddresses } from './addresses.ts'
import { ComingSfu } from './coming.ts'
import type { MediaLog } from './log.ts'
import { startMediasoup } from './mediasoup/start.ts'
import { unusablePort } from './ports.ts'
import { refusalOfMedia } from './refusals.ts'
import type { Placement } from './placement.ts'
import type { MediaStatus, Sfu } from './sfu.ts'
import { cannotListen, MediaUnreachable, WorkerUnusable } from './start-errors.ts'

export interface SfuOptions {
  /** Path of the media worker's binary; undefined if there is none. */
  workerBin: string | undefined
  /** How to prepare a worker if none starts, while everything else works. Without this, media is off in that case. */
  preparation?: { script: string; find: () => string | undefined } | undefined
  /** Number of workers, usually one per core. */
  workers: number
  /** Worker `i` listens on `firstPort + i`, over UDP and over TCP. */
  firstPort: number
  /** HOST: loopback, a single address, `0.0.0.0` for all IPv4 addresses or `::` for all of both families. */
  listenAddress: string
  /**
   * The addresses to which clients send, or names that resolve to them. Default: `listenAddress`, or the first address of
   * this machine in each family if that stands for all.
   */
  announcedAddresses?: readonly string[] | undefined
  /** The public name of this machine; used if no address is given. */
  domain?: string | undefined
  /** Aborted when the program must stop: the start is abandoned, and a worker that ends is not replaced. */
  stopping?: AbortSignal | undefined
  /**
   * What the workers log, in the syntax of MEDIA_LOG: a level of mediasoup, and its tags after a colon. Default:
   * `error`.
   */
  workerLog?: string | undefined
  /** A TCP port at which clients reach all workers too, because somebody passes the connections on by `tcpTarget`. */
  sharedTcpPort?: number | undefined
  /** Default: `auto`. */
  placement?: Placement | undefined
  /** How long pipes between workers stay open without need, in ms. */
  pipeTimes?: { pauseMs: number; closeMs: number } | undefined
  /** The address at which other hosts reach this one, and the ports for streams between them; undefined if it is alone. */
  hosts?: { address: string; ports: { min: number; max: number } } | undefined
  log?: MediaLog | undefined
}

/**
 * Creates the media server, or a substitute that says why it is not available if no worker can start.
 * @throws {StartError} if a port is taken, an address is not of this machine, or no client could reach the announced
 * address
 * @throws the reason of `stopping` if the program must stop
 */
export async function createSfu(options: SfuOptions): Promise<Sfu> {
  const { preparation, workerBin } = options
  const comingSfu = async (how: NonNullable<typeof preparation>): Promise<Sfu> => {
    // Errors that would stop the start with a worker stop it here too, and not minutes later.
    const addresses = await mediaAddresses(
      options.listenAddress,
      options.announcedAddresses,
      undefined,
      options.domain,
    )
    const { stopping, log, firstPort } = options
    const workers = Math.max(1, options.workers)
    const unusable = await unusablePort(addresses, { firstPort, workers })
    if (unusable) throw cannotListen(unusable.problem, { addresses, port: unusable.port, workers })
    return new ComingSfu({
      ...how,
      stopping,
      log,
      start: (prepared) => createSfu({ ...options, workerBin: prepared, preparation: undefined }),
    })
  }
  if (workerBin === undefined) return preparation ? comingSfu(preparation) : unavailableSfu(noWorker)
  try {
    return await startMediasoup({ ...options, workerBin })
  } catch (error) {
    if (error instanceof MediaUnreachable) {
      options.log?.error({ err: error }, 'failed to reach media at its announced address')
      return unavailableSfu(`Media is off: ${error.message}.`)
    }
    if (!(error instanceof WorkerUnusable)) throw error
    options.log?.error({ err: error }, 'failed to start the media worker')
    if (preparation) return comingSfu(preparation)
    return unavailableSfu(
      `Media is off: the media worker at ${workerBin} does not start; run "npm run worker" to get it again.`,
    )
  }
}

const noWorker = 'Media is off: there is no media worker on this machine; run "npm run worker" to get it.'

function unavailableSfu(reason: string): Sfu {
  const status: MediaStatus = { available: false, reason, isComing: false }
  return {
    status,
    openRouter: () => Promise.reject(refusalOfMedia(status)),
    usage: () => Promise.resolve([]),
    tcpTarget: () => undefined,
    close: () => Promise.resolve(),
  }
}
