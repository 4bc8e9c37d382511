/** What an app reads of a stream: a queue of limited length, as an async iterable. */

/** Ends with the stream. `break` and `return()` stop it, and with it the stream where nobody else reads it. */
export interface Reading<T> extends AsyncIterableIterator<T, undefined, undefined> {
  /** Items that were thrown away because they were not read in time. */
  readonly dropped: number
}

export interface QueueOptions<T> {
  /** The most items that wait. */
  size: number
  /** Called when the reader stops, or the queue ended and is empty. Called once. */
  onStop?: () => void
  /**
   * Called when items were thrown away.
   * @param next the oldest one that is left
   */
  onDrop?: (gone: readonly T[], next: T | undefined) => void
  /** What is thrown away when the queue is full: the oldest item, or all with the new one. Default `oldest`. */
  drops?: 'oldest' | 'all'
}

/** Drops items when the reader is slow, so that it never grows. */
export class Queue<T> implements Reading<T> {
  readonly #options: QueueOptions<T>
  readonly #items: T[] = []
  readonly #waiting: ((result: IteratorResult<T, undefined>) => void)[] = []
  #isOver = false
  #isStopped = false
  #dropped = 0

  constructor(options: QueueOptions<T>) {
    this.#options = options
  }

  get dropped(): number {
    return this.#dropped
  }

  push(item: T): void {
    if (this.#isOver) return
    const reader = this.#waiting.shift()
    if (reader) return reader({ value: item, done: false })
    this.#items.push(item)
    const { size, drops = 'oldest', onDrop } = this.#options
    if (this.#items.length <= size) return
    const gone = this.#items.splice(0, drops === 'all' ? this.#items.length : 1)
    this.#dropped += gone.length
    onDrop?.(gone, this.#items[0])
  }

  /** Counts an item that was not put into the queue, because what it depends on was thrown away. */
  skip(): void {
    this.#dropped++
  }

  /** No item follows; those that wait can still be read. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#items.length === 0) this.#stop()
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift()!
      if (this.#isOver && this.#items.length === 0) this.#stop()
      return Promise.resolve({ value, done: false })
    }
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#isOver = true
    this.#items.length = 0
    this.#stop()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.return().then(() => undefined)
  }

  #stop(): void {
    for (const reader of this.#waiting.splice(0)) reader({ value: undefined, done: true })
    if (this.#isStopped) return
    this.#isStopped = true
    this.#options.onStop?.()
  }
}
