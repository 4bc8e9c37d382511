/** A typed emitter. A listener that throws breaks neither the emitter nor the other listeners. */
export class Emitter<EventMap extends Record<keyof EventMap, unknown[]>> {
  readonly #listeners: { [E in keyof EventMap]?: Set<(...values: EventMap[E]) => void> } = {}

  /** Returns a function that stops listening. */
  on<E extends keyof EventMap>(event: E, listener: (...values: EventMap[E]) => void): () => void {
    const listeners = (this.#listeners[event] ??= new Set())
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  protected emit<E extends keyof EventMap>(event: E, ...values: EventMap[E]): void {
    for (const listener of [...(this.#listeners[event] ?? [])]) {
      try {
        listener(...values)
      } catch (error) {
        console.error(error)
      }
    }
  }
}
