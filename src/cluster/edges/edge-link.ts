/** The connection of a home to one of its edges. */
import { workerGone } from '../../media/refusals.ts'
import { Unreachable } from '../peers.ts'
import type { Channel, ChannelOptions } from './channel.ts'
import { ChannelSource, type ServedSource } from './streams.ts'

export interface EdgeLinkOptions {
  nodeId: string
  /** Opens the channel. */
  open: (options: ChannelOptions) => Channel
  /** Gives that edge the streams of this node and of its other edges. */
  serve: (channel: Pick<Channel, 'tell'>) => ServedSource
  onLost: () => void
  onError: (error: unknown, doing: string) => void
}

/** Takes a message of the edge about an object there. */
export type Hear = (what: string, value: unknown) => void

export class EdgeLink {
  readonly nodeId: string
  /** The streams of those who are on that edge. */
  readonly source: ChannelSource
  readonly #served: ServedSource
  readonly #channel: Channel
  readonly #listeners = new Map<number, Hear>()
  #made = 0

  constructor({ nodeId, open, serve, onLost, onError }: EdgeLinkOptions) {
    this.nodeId = nodeId
    this.#channel = open({
      answer: async (method, args) => await this.#served.answer(method, args),
      hear: (what, args) => this.#hear(what, args),
      onClose: () => {
        this.#lose()
        onLost()
      },
      onError,
    })
    this.source = new ChannelSource(this.#channel)
    this.#served = serve(this.#channel)
  }

  get isLost(): boolean {
    return this.#channel.isClosed
  }

  /** @throws {Refusal} */
  async call(method: string, ...args: unknown[]): Promise<unknown> {
    try {
      return await this.#channel.call(method, ...args)
    } catch (error) {
      // For the people on it, the loss of an edge is the death of a media worker.
      throw error instanceof Unreachable ? workerGone(error) : error
    }
  }

  /**
   * Creates an object on the edge. No message of the edge about it is missed, even if it arrives before the answer.
   * @throws {Refusal}
   */
  async make<Made extends { hear: Hear }>(
    method: string,
    args: unknown[],
    build: (sent: never, key: number) => Made,
  ): Promise<Made> {
    const key = this.newKey()
    const early: Parameters<Hear>[] = []
    this.#listeners.set(key, (...said) => early.push(said))
    try {
      const made = build((await this.call(method, key, ...args)) as never, key)
      const hear: Hear = (...said) => made.hear(...said)
      this.#listeners.set(key, hear)
      for (const said of early) hear(...said)
      return made
    } catch (error) {
      this.release(key)
      throw error
    }
  }

  newKey(): number {
    return ++this.#made
  }

  /** Closes an object on the edge. */
  release(key: number): void {
    this.#listeners.delete(key)
    this.#channel.tell('close', key)
  }

  /** Call this when an object on the edge has closed by itself. */
  forget(key: number): void {
    this.#listeners.delete(key)
  }

  closeRouter(key: number): void {
    this.#channel.tell('closeRouter', key)
  }

  close(): void {
    this.#channel.close()
  }

  #hear(what: string, args: unknown[]): void {
    const [key, value] = args as [number, unknown]
    if (what === 'stream') this.source.hear(key, value as never)
    else if (what === 'closeStream') this.#served.close(args[0] as string)
    else this.#listeners.get(key)?.(what, value)
  }

  #lose(): void {
    this.source.lose()
    this.#served.closeAll()
    const listeners = [...this.#listeners.values()]
    this.#listeners.clear()
    for (const hear of listeners) hear('lost', undefined)
  }
}
