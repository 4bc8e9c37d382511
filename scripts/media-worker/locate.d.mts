export interface LocatedWorker {
  bin: string
  source: 'env' | 'cache' | 'package'
}
export function locateWorker(options?: { env?: NodeJS.ProcessEnv; folder?: string }): LocatedWorker | undefined
export function mediasoupVersion(folder?: string): string | undefined
export function cachedWorker(env: NodeJS.ProcessEnv, version: string): string
export function isExecutable(path: string): boolean
