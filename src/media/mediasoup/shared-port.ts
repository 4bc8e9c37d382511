/** One more TCP port for all workers: whoever accepts connections there asks which worker one is for, by its first ICE request. */
import type { types as mediasoup } from 'mediasoup'
import type { IceCandidate } from '../../protocol/media.ts'
import type { TcpTarget } from '../sfu.ts'

/** The way from the shared port to one worker. */
export interface SharedWay {
  /** A transport's candidates, and those on the shared port, which clients try last. */
  withShared(candidates: readonly IceCandidate[]): IceCandidate[]
  /** Leads connections for this transport to the worker until it closes, and after each restart of ICE. */
  lead(transport: mediasoup.WebRtcTransport): void
  /** Says that the transport has other credentials now. */
  renewed(transport: mediasoup.WebRtcTransport): void
}

export class SharedPort {
  readonly #port: number
  readonly #targets = new Map<string, TcpTarget>()

  /** @param port the one that clients see */
  constructor(port: number) {
    this.#port = port
  }

  targetOf(usernameFragment: string): TcpTarget | undefined {
    return this.#targets.get(usernameFragment)
  }

  wayTo(target: TcpTarget): SharedWay {
    const fragments = new WeakMap<mediasoup.WebRtcTransport, string>()
    const admit = (transport: mediasoup.WebRtcTransport): void => {
      // It may have closed while ICE was restarted.
      if (transport.closed) return
      const { usernameFragment } = transport.iceParameters
      const before = fragments.get(transport)
      if (before !== undefined) this.#targets.delete(before)
      fragments.set(transport, usernameFragment)
      this.#targets.set(usernameFragment, target)
    }
    return {
      withShared: (candidates) => {
        const overTcp = candidates.filter(({ protocol, port }) => protocol === 'tcp' && port !== this.#port)
        const shared = overTcp.map((one) => ({
          ...one,
          port: this.#port,
          priority: one.priority - 1,
          foundation: `${one.foundation}shared`,
        }))
        return [...candidates, ...shared]
      },
      lead: (transport) => {
        admit(transport)
        transport.observer.once('close', () => this.#targets.delete(fragments.get(transport)!))
      },
      renewed: admit,
    }
  }
}
