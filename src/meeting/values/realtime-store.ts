/**
 * The realtime store: small values shared by a session, which can be set, read and observed (contract, rest-and-tokens §5.4). Values
 * are sent in the order in which they are set, so everybody sees the same last value.
 */
import type { Audience, Link } from '../link.ts'
import type { SessionValue } from '../../store/store.ts'
import { Refusal } from '../../protocol/errors.ts'
import { beyondShare, SharedAmount, SharedThings, sharesOf, type Holder } from '../../shares.ts'

export interface RealtimeStoreOptions {
  maxKeys: number
  openAudience: (key: string) => Audience
  /** What the former home of the meeting has kept. */
  kept?: readonly SessionValue[]
  /** Called with each change. */
  onSet?: ((value: SessionValue) => void) | undefined
}

/** The observing participant. */
export interface Observer {
  readonly link: Link
  readonly holder: Required<Holder>
}

const MAX_VALUE_BYTES = 1024

export class RealtimeStore {
  readonly #options: RealtimeStoreOptions
  /** The values, with the creator of each key: the key stays on that account, whoever sets it later. */
  readonly #values = new Map<string, { value: string; maker: Holder }>()
  readonly #keys: SharedAmount
  readonly #audiences = new Map<string, { audience: Audience; observers: number }>()
  readonly #observed = new Map<Link, { holder: Required<Holder>; keys: Set<string> }>()
  readonly #observedKeys: SharedThings

  constructor(options: RealtimeStoreOptions) {
    this.#options = options
    this.#keys = new SharedAmount(sharesOf(options.maxKeys))
    this.#observedKeys = new SharedThings(sharesOf(options.maxKeys))
    for (const { key, value, ...maker } of options.kept ?? []) {
      if (value === null || this.#keys.take(maker)) continue
      this.#values.set(key, { value, maker })
    }
  }

  get(key: string): string | null {
    return this.#values.get(key)?.value ?? null
  }

  /** `null` deletes the key. */
  set(key: string, value: string | null, updatedBy: string, holder: Holder): void {
    const there = this.#values.get(key)
    if (value !== null && Buffer.byteLength(value) > MAX_VALUE_BYTES)
      throw new Refusal('STORE_SET_FAILED', { message: `A value must not exceed ${MAX_VALUE_BYTES} bytes.` })
    if (value === null) {
      if (there) this.#keys.add(there.maker, -1)
      this.#values.delete(key)
    } else if (there) there.value = value
    else {
      const over = this.#keys.take(holder)
      if (over) throw beyondShare('STORE_SET_FAILED', over, 'keys')
      this.#values.set(key, { value, maker: holder })
    }
    this.#options.onSet?.({ key, value, ...(there?.maker ?? holder) })
    this.#audiences.get(key)?.audience.notify({ method: 'realtimeStoreValueChanged', key, value, updatedBy })
  }

  observe(key: string, { link, holder }: Observer): void {
    const own = this.#observed.get(link) ?? { holder, keys: new Set() }
    if (own.keys.has(key)) return
    const over = this.#observedKeys.take(key, holder)
    if (over) throw beyondShare('STORE_OBSERVE_FAILED', over, 'observed keys')
    this.#observed.set(link, own)
    own.keys.add(key)
    const observed = this.#audiences.get(key) ?? { audience: this.#options.openAudience(key), observers: 0 }
    this.#audiences.set(key, observed)
    observed.observers++
    observed.audience.add(link)
  }

  stopObserving(key: string, link: Link): void {
    const own = this.#observed.get(link)
    if (!own?.keys.delete(key)) return
    if (own.keys.size === 0) this.#observed.delete(link)
    this.#observedKeys.give(key, own.holder)
    const observed = this.#audiences.get(key)!
    observed.audience.remove(link)
    if (--observed.observers === 0) this.#audiences.delete(key)
  }

  /** A participant who left observes nothing more, and frees room. */
  forget(link: Link): void {
    for (const key of [...(this.#observed.get(link)?.keys ?? [])]) this.stopObserving(key, link)
  }
}
