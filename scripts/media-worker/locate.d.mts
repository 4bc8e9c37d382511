export interface LocatedWorker {
  bin: string
  source: 'env' | 'cache' | 'package'
}

/** The worker that MEDIASOUP_WORKER_BIN names, else a cached one, else the one inside the mediasoup package. Looks only. */
export function locateWorker(options?: {
  env?: NodeJS.ProcessEnv
  /** The mediasoup package's folder; the installed one by default. */
  folder?: string | undefined
  /** mediasoup's version; that of the package by default. */
  version?: string | undefined
}): LocatedWorker | undefined
export function mediasoupVersion(folder?: string): string | undefined
export function cacheFolders(env: NodeJS.ProcessEnv): string[]
export function workerIn(folder: string, version: string): string
export function isExecutable(path: string): boolean
export function installed(path: string): string | undefined
export const WORKER_NAME: string
