/** The server's half of checking TURN: whether each TURN server takes our credentials and relays to our media ports. */
import type { Router, Transport } from '../../media/sfu.ts'
import type { RelayCheck } from '../../protocol/check.ts'
import type { TurnAccount } from '../../stun/ask.ts'
import { parseTurnUrl } from '../../stun/turn-url.ts'

export interface TurnCheckOptions {
  urls: readonly string[]
  /** Short-lived, made when it is called. */
  account: () => TurnAccount | undefined
  openRouter: () => Promise<Router>
  now: () => number
}

/** Checks share an answer, so that strangers cannot make the server ask others again and again. */
const FRESH_MS = 60_000

export class TurnCheck {
  readonly #options: TurnCheckOptions
  #last: { at: number; found: Promise<RelayCheck[]> } | undefined

  constructor(options: TurnCheckOptions) {
    this.#options = options
  }

  /** One entry for each TURN server in the settings. */
  look(): Promise<RelayCheck[]> {
    const at = this.#options.now()
    if (!this.#last || at - this.#last.at > FRESH_MS) {
      const found = this.#look()
      this.#last = { at, found }
      found.catch(() => (this.#last = undefined))
    }
    return this.#last.found
  }

  async #look(): Promise<RelayCheck[]> {
    const urls = this.#options.urls.filter((url) => parseTurnUrl(url))
    const account = this.#options.account()
    if (urls.length === 0 || !account) return []
    const router = await this.#options.openRouter()
    try {
      const transport = await router.createTransport({ direction: 'send', member: {} })
      return await Promise.all(urls.map((url) => check(url, account, transport)))
    } finally {
      router.close()
    }
  }
}

async function check(
  url: string,
  account: TurnAccount,
  { iceCandidates, iceParameters }: Transport,
): Promise<RelayCheck> {
  const media = iceCandidates.find(({ protocol }) => protocol === 'udp')
  if (!media) return { url, relay: 'silent', says: 'no media port is open for UDP' }
  // Loaded on demand: most servers are never asked, and the library is large.
  const { LineFailed, relayTo } = await import('../../stun/ask.ts')
  try {
    const found = await relayTo(parseTurnUrl(url)!, account, {
      endpoint: { address: media.ip, port: media.port },
      credentials: iceParameters,
    })
    return found.state === 'works' ? { url, relay: 'works' } : { url, relay: found.state, says: found.says }
  } catch (error) {
    if (error instanceof LineFailed) return { url, relay: 'unreachable', says: error.message }
    throw error
  }
}
