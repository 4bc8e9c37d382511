/** A store whose writes wait while a test holds them, so that other requests can run before a write is done. */
import { Refusal } from '../../src/protocol/errors.ts'
import type { Store } from '../../src/store/store.ts'

const WRITES = {
  sessions: [
    'start',
    'end',
    'join',
    'leave',
    'admit',
    'takeBackAdmission',
    'remove',
    'liftRemoval',
    'decide',
  ],
  meetings: ['create', 'disable'],
  revokedTokens: ['add'],
  invites: ['create', 'use', 'revoke'],
  outputs: ['create', 'change'],
  polls: ['add', 'end', 'vote'],
} as const

export class HeldStore {
  #held: (() => void)[] | undefined
  #failing: string | undefined
  readonly #waiters = new Set<() => void>()

  /** A value for `Parts.through`. */
  readonly through = (store: Store): Store => {
    const held = { ...store, check: () => this.#pass(() => store.check()) }
    for (const [group, methods] of Object.entries(WRITES)) {
      const own = store[group as keyof typeof WRITES] as unknown as Record<
        string,
        (...args: unknown[]) => Promise<unknown>
      >
      const changed = methods.map((method) => [
        method,
        (...args: unknown[]) => {
          if (this.#failing === `${group}.${method}`) {
            this.#failing = undefined
            return Promise.reject(new Refusal('STORE_UNAVAILABLE'))
          }
          return this.#pass(() => own[method]!(...args))
        },
      ])
      Object.assign(held, { [group]: { ...own, ...Object.fromEntries(changed) } })
    }
    return held
  }

  /** Makes the next call of this method fail as if the store were unavailable. */
  failNext<G extends keyof typeof WRITES>(group: G, method: (typeof WRITES)[G][number]): void {
    this.#failing = `${group}.${method}`
  }

  hold(): void {
    this.#held ??= []
  }

  /** The number of waiting writes. */
  get size(): number {
    return this.#held?.length ?? 0
  }

  /** Resolves when more than this many writes wait. */
  async more(than: number): Promise<void> {
    while (this.#held && this.#held.length <= than)
      await new Promise<void>((resolve) => this.#waiters.add(resolve))
  }

  /** Lets the waiting writes continue in order. */
  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const go of held) go()
    this.#wake()
  }

  async #pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#held) {
      await new Promise<void>((resolve) => {
        this.#held!.push(resolve)
        this.#wake()
      })
    }
    return work()
  }

  #wake(): void {
    for (const resolve of this.#waiters) resolve()
    this.#waiters.clear()
  }
}
