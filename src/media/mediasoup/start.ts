import { setLogEventListeners, type types as mediasoup } from 'mediasoup'
import { mediaAddresses } from '../addresses.ts'
import type { MediaLog } from '../log.ts'
import type { Placement } from '../placement.ts'
import type { Sfu } from '../sfu.ts'
import { HostLines, Outlets, type HostLineOptions } from './hosts.ts'
import type { PipeTimes } from './pipes.ts'
import { WorkerPool } from './pool.ts'
import { SharedPort } from './shared-port.ts'

export interface MediasoupOptions {
  workerBin: string
  workers: number
  firstPort: number
  listenAddress: string
  announcedAddresses?: readonly string[] | undefined
  /** The public name of this machine; used if no address is given. */
  domain?: string | undefined
  stopping?: AbortSignal | undefined
  workerLog?: string | undefined
  log?: MediaLog | undefined
  sharedTcpPort?: number | undefined
  placement?: Placement | undefined
  pipeTimes?: PipeTimes | undefined
  /** How other hosts reach this one; undefined if streams stay here. */
  hosts?: HostLineOptions | undefined
}

/**
 * Starts the media server with mediasoup's workers.
 * @throws {WorkerUnusable} if the binary does not start
 * @throws {StartError} if a port is taken or an address does not belong to this machine
 */
export async function startMediasoup(options: MediasoupOptions): Promise<Sfu> {
  const { log, stopping } = options
  const addresses = await mediaAddresses(
    options.listenAddress,
    options.announcedAddresses,
    undefined,
    options.domain,
  )
  for (const { announced, isOwn } of addresses) {
    if (!isOwn)
      log?.warn(
        { announced },
        'skipped the check of the announced media address, because it is not an address of this machine',
      )
  }
  const [logLevel = 'error', logTags] = (options.workerLog ?? 'error').split(':')
  if (log) logWorkers(log, logLevel)
  const shared = options.sharedTcpPort === undefined ? undefined : new SharedPort(options.sharedTcpPort)
  const pool = await WorkerPool.start({
    workerBin: options.workerBin,
    workers: Math.max(1, options.workers),
    firstPort: options.firstPort,
    addresses,
    workerLog: {
      logLevel: logLevel as mediasoup.WorkerLogLevel,
      logTags: (logTags?.split(',') ?? []) as mediasoup.WorkerLogTag[],
    },
    stopping,
    log,
    placement: options.placement,
    pipeTimes: options.pipeTimes,
    hostLines: options.hosts && new HostLines(options.hosts),
    shared,
  })
  const offers = options.hosts && new Outlets(pool.homes)
  let closing: Promise<void> | undefined
  return {
    get status() {
      return pool.status
    },
    openRouter: (asked) => pool.openRouter(asked),
    usage: () => pool.usage(),
    offers,
    tcpTarget: (usernameFragment) => shared?.targetOf(usernameFragment),
    close: () => (closing ??= pool.close()),
  }
}

/** A log line of a worker, unlike one of mediasoup itself, begins with its process id. */
const OF_A_WORKER = /^\[pid:(\d+)\] /

function logWorkers(log: MediaLog, level: string): void {
  const passOn =
    (level: 'info' | 'warn') =>
    (_namespace: string, message: string): void => {
      const [beginning, pid] = OF_A_WORKER.exec(message) ?? []
      if (beginning !== undefined)
        log[level]({ pid: Number(pid) }, `mediasoup: ${message.slice(beginning.length)}`)
    }
  setLogEventListeners({
    // Only on request: mediasoup writes a line for each call, which would slow down joins.
    ...(level === 'debug' && { ondebug: passOn('info') }),
    ...((level === 'debug' || level === 'warn') && { onwarn: passOn('warn') }),
    onerror: (namespace, message, error) =>
      log.warn({ namespace, ...(error ? { err: error } : {}) }, `mediasoup: ${message}`),
  })
}
