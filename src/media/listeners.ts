import type { MediaLog } from './log.ts'

/**
 * The listeners of one object, by event. An error in a listener is logged and affects neither the other listeners nor
 * the caller.
 */
export class Listeners<Events extends { [E in keyof Events]: (...args: never[]) => void }> {
  #byEvent = new Map<keyof Events, Events[keyof Events][]>()
  readonly #log: MediaLog | undefined

  constructor(log?: MediaLog) {
    this.#log = log
  }

  on<E extends keyof Events>(event: E, listener: Events[E]): void {
    const listeners = this.#byEvent.get(event)
    if (listeners) listeners.push(listener)
    else this.#byEvent.set(event, [listener])
  }

  emit<E extends keyof Events>(event: E, ...args: Parameters<Events[E]>): void {
    for (const listener of [...(this.#byEvent.get(event) ?? [])]) {
      try {
        listener(...args)
      } catch (error) {
        this.#log?.error({ err: error, event: String(event) }, 'failed in a listener of the media server')
      }
    }
  }

  /** Removes all listeners. */
  clear(): void {
    this.#byEvent.clear()
  }
}
