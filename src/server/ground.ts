/** Everything that is open before the parts of a server are connected. */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { Config } from '../config/read.ts'
import type { ClusterNode } from '../cluster/node.ts'
import type { Sfu } from '../media/sfu.ts'
import type { FileStore } from '../output/files/files.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Tracing } from '../tracing/open.ts'
import type { Parts } from './contract.ts'
import type { ServerCore } from './core.ts'

export interface Ground {
  config: Config
  parts: Parts
  core: ServerCore
  media: Sfu
  /** Undefined: a server alone. */
  cluster: ClusterNode | undefined
  metrics: Metrics
  tracing: Tracing | undefined
  /** Where files of outputs are put; undefined: they stay in the data folder. */
  files: FileStore | undefined
  now: () => number
  /** When the start began, in ms since the epoch. */
  startedAt: number
  log: Logger
}

/** A new id, for what has no other name. */
export const newId = (): string => randomBytes(12).toString('hex')
