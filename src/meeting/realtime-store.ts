/**
 * Small values that everybody in a session shares: set, read, watched (contract, rest-and-tokens §5.4). The order in which
 * values are set here is the order in which everybody hears of them, so all see the same last one.
 */
import type { Audience, Link } from './link.ts'
import { Refusal } from '../protocol/errors.ts'

export interface RealtimeStoreOptions {
  maxKeys: number
  openAudience: (key: string) => Audience
}

const MAX_VALUE_BYTES = 1024

export class RealtimeStore {
  readonly #options: RealtimeStoreOptions
  readonly #values = new Map<string, string>()
  readonly #observers = new Map<string, { audience: Audience; links: Set<Link> }>()

  constructor(options: RealtimeStoreOptions) {
    this.#options = options
  }

  get(key: string): string | null {
    return this.#values.get(key) ?? null
  }

  /** `null` takes the key away. */
  set(key: string, value: string | null, updatedBy: string): void {
    if (value === null) this.#values.delete(key)
    else {
      if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
        throw new Refusal('STORE_SET_FAILED', { message: `A value has at most ${MAX_VALUE_BYTES} bytes.` })
      }
      if (!this.#values.has(key) && this.#values.size >= this.#options.maxKeys) {
        throw new Refusal('STORE_SET_FAILED', {
          message: `A meeting has at most ${this.#options.maxKeys} keys.`,
        })
      }
      this.#values.set(key, value)
    }
    this.#observers.get(key)?.audience.notify({ method: 'realtimeStoreValueChanged', key, value, updatedBy })
  }

  observe(key: string, link: Link): void {
    let observers = this.#observers.get(key)
    if (!observers) {
      if (this.#observers.size >= this.#options.maxKeys) {
        throw new Refusal('STORE_OBSERVE_FAILED', {
          message: `At most ${this.#options.maxKeys} keys of a meeting are observed.`,
        })
      }
      observers = { audience: this.#options.openAudience(key), links: new Set() }
      this.#observers.set(key, observers)
    }
    observers.links.add(link)
    observers.audience.add(link)
  }

  stopObserving(key: string, link: Link): void {
    const observers = this.#observers.get(key)
    if (!observers?.links.delete(link)) return
    observers.audience.remove(link)
    if (observers.links.size === 0) this.#observers.delete(key)
  }

  /** One who left hears no more. */
  forget(link: Link): void {
    for (const key of [...this.#observers.keys()]) this.stopObserving(key, link)
  }
}
