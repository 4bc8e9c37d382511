/** What starting a server takes and gives. Types only. */
import type { Logger } from 'pino'
import type { Outputs } from '../output/output.ts'
import type { Sfu } from '../media/sfu.ts'
import type { LiveMeetings } from '../meeting/live-meetings.ts'
import type { Store } from '../store/store.ts'
import type { WebhooksOptions } from '../webhook/create.ts'
import type { Ready } from './welcome.ts'

export interface RunningServer {
  /** Base addresses that answer, plain first. */
  urls: string[]
  /** The live meetings, for whoever listens to what happens in them; absent in a token server. */
  meetings?: LiveMeetings
  /** What is said when it is ready. */
  ready: Ready
  /** Cuts connections so that their clients come back, stops workers, closes the store. Idempotent. */
  close(): Promise<void>
}

/** Parts that a test may put in the place of the real ones. */
export interface Parts {
  sfu?: Sfu
  outputs?: Outputs
  log?: Logger
  /** The clock, ms since the epoch. */
  now?: () => number
  /** The addresses of the receiver of a webhook, by its name. */
  resolve?: WebhooksOptions['resolve']
  /** Aborted when the program is told to stop: a start is given up, and what it had begun is closed. */
  stopping?: AbortSignal
  /** How whoever runs this server calls its commands; `anteroom` where nothing is said. */
  command?: string
  /** Stands between the server and its store. */
  through?: (store: Store) => Store
}
