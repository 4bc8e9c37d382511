/** An allocation at a TURN server (RFC 8656), which relays between us and the server's media ports. */
import { isIP, type Socket } from 'node:net'
import { classes, createTurnClient, Message, methods, type TurnProtocol } from 'werift'
import { parseTurnUrl, type TurnUrl } from '../stun/turn-url.ts'
import { MAX_WAITING_BYTES, type OpenWay } from './bridge.ts'

/** As the server names it: `RTCIceServer` of browsers, whose types a program without a browser does not have to load. */
export interface IceServer {
  urls: string | string[]
  username?: string
  credential?: string
}

/** How to reach one TURN server. */
export interface TurnServer extends TurnUrl {
  username: string
  credential: string
}

/** The TURN servers among these; others only tell addresses, which we do not need. */
export function turnServersOf(servers: readonly IceServer[]): TurnServer[] {
  return servers.flatMap(({ urls, username = '', credential = '' }) =>
    [urls].flat().flatMap((url) => {
      const parts = parseTurnUrl(url)
      return parts ? [{ ...parts, username, credential }] : []
    }),
  )
}

const CONNECT_TIMEOUT_MS = 8000
/** Werift binds a channel anew after 500 s, but the permission that comes with it ends after 300 s (RFC 8656, 9). */
const BIND_AGAIN_S = 240

export class Relay {
  readonly #turn: TurnProtocol
  #isClosed = false

  /** Where the relay is reached over TCP or TLS; werift does not show it. */
  readonly #tcp: Socket | undefined

  private constructor(turn: TurnProtocol) {
    this.#turn = turn
    ;(turn as unknown as { channelRefreshTime: number }).channelRefreshTime = BIND_AGAIN_S
    const { stream } = turn.transport as unknown as { stream?: { client?: Socket } }
    this.#tcp = stream?.client
    this.#tcp?.setNoDelay(true)
  }

  /** @throws if the TURN server cannot be reached, or refuses */
  static async open({ protocol, address, port, username, credential }: TurnServer): Promise<Relay> {
    return new Relay(
      await createTurnClient(
        { address: [address, port], username, password: credential },
        {
          transport: protocol,
          connectTimeoutMs: CONNECT_TIMEOUT_MS,
          ...(isIP(address) === 0 && { tlsOptions: { servername: address } }),
        },
      ),
    )
  }

  /** Through the relay to one UDP port of the server. */
  to(host: string, port: number): OpenWay {
    return (onMessage) => {
      const { unSubscribe } = this.#turn.onData.subscribe((message, from) => {
        if (from[0] === host && from[1] === port) onMessage(message)
      })
      return {
        send: (message) => {
          if (this.#isClosed || (this.#tcp?.writableLength ?? 0) > MAX_WAITING_BYTES) return
          // What the relay does not take is lost, like any other packet on the way; ICE sees that nothing comes back.
          this.#turn.sendData(message, [host, port]).catch(() => undefined)
        },
        close: unSubscribe,
      }
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // Werift closes its socket alone: over UDP, the server would keep the allocation for ten minutes.
    const end = new Message(methods.REFRESH, classes.REQUEST).setAttribute('LIFETIME', 0)
    this.#turn
      .requestWithRetry(end, this.#turn.server)
      .catch(() => undefined)
      .finally(() => void this.#turn.close().catch(() => undefined))
  }
}
