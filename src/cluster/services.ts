/** What belongs to a live meeting beside `MeetingHome`, reached wherever the home is. */
import type { HomeRecord } from '../store/cluster.ts'
import { callsAtHome, moved, unreachable } from './at-home.ts'
import type { Answered, Peers } from './peers.ts'

/** A method whose first argument is the id of a meeting, and whose arguments and answer are plain values. */
export type AboutMeeting = (meetingId: string, ...args: never[]) => Promise<unknown>

export interface ServicesOptions {
  peers: Pick<Peers, 'call'>
  /** @param mayClaim whether the call brings a meeting to life: without a home, one is chosen as for a connection */
  placeOf: (meetingId: string, mayClaim: boolean) => Promise<'here' | HomeRecord | undefined>
  isHere: (meetingId: string) => boolean
  newId: () => string
}

export class Services {
  readonly #options: ServicesOptions
  /** By the names of the calls between nodes. */
  readonly #methods = new Map<string, AboutMeeting>()

  constructor(options: ServicesOptions) {
    this.#options = options
  }

  /**
   * @param here what carries the methods out at this node
   * @param methods their names are those of the calls between nodes
   * @param claims those of them that bring a meeting to life
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
