/**
 * A typed emitter whose listeners cannot break it: what one throws goes to `onError`, the others still hear.
 */
export class Events<Map extends Record<keyof Map, unknown[]>> {
  readonly #listeners = new globalThis.Map<keyof Map, ((...values: never[]) => void)[]>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  on<E extends keyof Map>(event: E, listener: (...values: Map[E]) => void): void {
    const there = this.#listeners.get(event)
    if (there) there.push(listener)
    else this.#listeners.set(event, [listener])
  }

  emit<E extends keyof Map>(event: E, ...values: Map[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        ;(listener as (...values: Map[E]) => void)(...values)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
