/** Services of a live meeting beside `MeetingHome`, such as WHIP sessions, called wherever its home is. */
import type { HomeRecord } from '../store/cluster.ts'
import { callsAtHome, moved, unreachable } from './at-home.ts'
import type { Answered, Peers } from './peers.ts'

/** A method whose first argument is the id of a meeting, and whose arguments and answer are plain values. */
export type AboutMeeting = (meetingId: string, ...args: never[]) => Promise<unknown>

export interface ServicesOptions {
  peers: Pick<Peers, 'call'>
  /** @param mayClaim whether the call may open a meeting: if it has no home, one is chosen as for a connection */
  placeOf: (meetingId: string, mayClaim: boolean) => Promise<'here' | HomeRecord | undefined>
  isHere: (meetingId: string) => boolean
  newId: () => string
}

export class Services {
  readonly #options: ServicesOptions
  /** By the name of the call. */
  readonly #methods = new Map<string, AboutMeeting>()

  constructor(options: ServicesOptions) {
    this.#options = options
  }

  /**
   * @param here the service of this node
   * @param methods the names of its methods, which are the names of the calls too
   * @param claims the methods that may open a meeting
   * @returns the same methods, each carried out at the home of its meeting
   */
  serve<T extends Record<M, AboutMeeting>, M extends keyof T & string>(
    here: T,
    methods: readonly M[],
    claims: readonly M[],
  ): Pick<T, M> {
    const { peers, newId, placeOf } = this.#options
    const routed = methods.map((method) => {
      const own = here[method].bind(here) as (...args: unknown[]) => Promise<unknown>
      this.#methods.set(method, own)
      const at = callsAtHome({
        peers,
        newId,
        placeOf: async (meetingId) => {
          const place = await placeOf(meetingId, claims.includes(method))
          if (place === undefined) throw unreachable(undefined)
          return place
        },
      })
      return [
        method,
        (...args: [string, ...unknown[]]) => at(args[0], method, args, () => own(...args)),
      ] as const
    })
    return Object.fromEntries(routed) as unknown as Pick<T, M>
  }

  has(method: string): boolean {
    return this.#methods.has(method)
  }

  /** Answers a call of another node. @throws {Refusal} SERVER_STOPPING if the home is not here */
  async answer(method: string, args: unknown[]): Promise<Answered> {
    const [meetingId, ...rest] = args as [string, ...never[]]
    if (!this.#options.isHere(meetingId)) throw moved()
    return { value: await this.#methods.get(method)!(meetingId, ...rest) }
  }
}
