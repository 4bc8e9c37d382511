import { Socket } from 'node:net'

/** Sends in one packet what is written in one turn of the event loop, because the driver writes each statement by itself. */
export class GatheringSocket extends Socket {
  #gathers = false

  override connect(...parameters: unknown[]): this {
    super.connect(...(parameters as Parameters<Socket['connect']>))
    // Node gives a socket that connects the plain `write`, in case an earlier end took it away.
    delete (this as { write?: unknown }).write
    return this
  }

  override write(...parameters: unknown[]): boolean {
    if (!this.#gathers) {
      this.#gathers = true
      this.cork()
      process.nextTick(() => {
        this.#gathers = false
        this.uncork()
      })
    }
    return super.write(...(parameters as Parameters<Socket['write']>))
  }
}
