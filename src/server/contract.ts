/** Input and result of starting a server. Types only. */
import type { Logger } from 'pino'
import type { JobEngines } from '../output/jobs/job.ts'
import type { Outputs } from '../output/output.ts'
import type { Sfu } from '../media/sfu.ts'
import type { LiveMeetings } from '../meeting/live-meetings.ts'
import type { Store } from '../store/store.ts'
import type { WebhooksOptions } from '../webhook/create.ts'
import type { RetryTimes } from '../api/certificate/times.ts'
import type { Ready } from './welcome.ts'

export interface RunningServer {
  /** Base addresses that answer, plain first. */
  urls: string[]
  /** The live meetings, to observe them; absent in a token server. */
  meetings?: LiveMeetings
  /** What to print when it is ready. */
  ready: Ready
  /** Of one of several nodes. */
  drain?: {
    /** Takes no new meetings, and moves the others to other nodes in this time. */
    begin(withinMs: number): void
    /** Resolves when no meeting is here any more, whoever began it: then the program ends. */
    readonly ended: Promise<unknown>
  }
  /** Cuts connections so that their clients reconnect, stops workers, closes the store. Idempotent. */
  close(): Promise<void>
}

/** Parts that a test may put in the place of the real ones. */
export interface Parts {
  sfu?: Sfu
  outputs?: Outputs
  jobs?: JobEngines
  log?: Logger
  /** The clock, ms since the epoch. */
  now?: () => number
  /** The addresses of the receiver of a webhook, by its name. */
  resolve?: WebhooksOptions['resolve']
  /** The waits between attempts to obtain a certificate. */
  certificateTimes?: RetryTimes
  /** Aborted when the program must stop: the start is abandoned, and everything opened so far is closed. */
  stopping?: AbortSignal
  /** How the operator of this server calls its commands. Default `anteroom`. */
  command?: string
  /** Wraps the store of the server. */
  through?: (store: Store) => Store
}
