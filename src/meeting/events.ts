/**
 * A typed emitter that its listeners cannot break: an exception goes to `onError`, and the other listeners still run.
 */
export class Events<EventMap extends Record<keyof EventMap, unknown[]>> {
  readonly #listeners: { [E in keyof EventMap]?: ((...values: EventMap[E]) => void)[] } = {}
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  on<E extends keyof EventMap>(event: E, listener: (...values: EventMap[E]) => void): void {
    const there = this.#listeners[event]
    if (there) there.push(listener)
    else this.#listeners[event] = [listener]
  }

  emit<E extends keyof EventMap>(event: E, ...values: EventMap[E]): void {
    for (const listener of this.#listeners[event] ?? []) {
      try {
        listener(...values)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
