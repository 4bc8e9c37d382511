/** The objects that a home uses for what is on an edge: they behave like those of its own media server. */
import { Refusal } from '../../protocol/errors.ts'
import type { EdgeLink } from './edge-link.ts'

export type Listener = (...args: never[]) => void

/** An object on an edge. Its class has a method `hear` for messages of the edge about it. */
export class Remote<Events extends { [E in keyof Events]: Listener }> {
  protected readonly link: EdgeLink
  protected readonly key: number
  readonly #ended: () => void
  readonly #listeners: { event: keyof Events; listener: Listener }[] = []
  #isOver = false

  constructor(link: EdgeLink, key: number, ended: () => void) {
    this.link = link
    this.key = key
    this.#ended = ended
  }

  on<E extends keyof Events>(event: E, listener: Events[E]): void {
    this.#listeners.push({ event, listener })
  }

  close(): void {
    if (this.#isOver) return
    this.link.release(this.key)
    this.over()
  }

  /** Ends it on this side alone. Idempotent. */
  over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.link.forget(this.key)
    this.#listeners.length = 0
    this.#ended()
  }

  protected emit<E extends keyof Events>(event: E, ...args: Parameters<Events[E]>): void {
    for (const each of [...this.#listeners])
      if (each.event === event) (each.listener as (...args: unknown[]) => void)(...args)
  }

  protected call(method: string, ...args: unknown[]): Promise<unknown> {
    if (this.#isOver) return Promise.reject(new Refusal('INVALID_STATE', { reason: 'closed' }))
    return this.link.call(method, this.key, ...args)
  }
}
