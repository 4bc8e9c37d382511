/**
 * A lasting connection between two nodes. Either side calls the other, which answers in any order, or sends messages that need no
 * answer. Everything arrives in the order in which it was sent.
 */
import type { Duplex } from 'node:stream'
import { deserialize, serialize } from 'node:v8'
import { asRefusal, type Refusal } from '../../protocol/errors.ts'
import { fromSent, toSent } from '../frames.ts'
import { Unreachable } from '../peers.ts'

/** Each side sends something at least this often. */
const SIGN_OF_LIFE_MS = 1000
const SILENCE_MS = 4000
/** How long a call waits for its answer. */
const ANSWER_MS = 10_000
const LENGTH_BYTES = 4
const MAX_FRAME_BYTES = 4 * 1024 * 1024

type Frame =
  | { call: number; method: string; args: unknown[] }
  | { answer: number; value: unknown }
  | { answer: number; refusal: ReturnType<typeof toSent> }
  | { tell: string; args: unknown[] }
  | { isAlive: true }

export interface ChannelOptions {
  /** Answers a call of the other side; what it throws is sent as a refusal. */
  answer: (method: string, args: unknown[]) => Promise<unknown>
  /** The other side sent a message. */
  hear: (what: string, args: unknown[]) => void
  /** Called once, when the connection is lost or closed. */
  onClose: () => void
  onError: (error: unknown, doing: string) => void
}

interface Waiting {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
  patience: NodeJS.Timeout
}

export class Channel {
  readonly #socket: Duplex
  readonly #options: ChannelOptions
  readonly #waiting = new Map<number, Waiting>()
  readonly #signs: NodeJS.Timeout
  #heardAt = performance.now()
  #signedAt = performance.now()
  #calls = 0
  #chunks: Buffer[] = []
  #bytes = 0
  /** How many bytes the next frame, or its length, still needs. */
  #needed = LENGTH_BYTES
  #isClosed = false

  /** @param head bytes that were already read from the socket */
  constructor(socket: Duplex, options: ChannelOptions, head: Buffer = Buffer.alloc(0)) {
    this.#socket = socket
    this.#options = options
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    for (const event of ['error', 'end', 'close']) socket.on(event, () => this.close())
    this.#signs = setInterval(() => {
      const now = performance.now()
      // After a pause of this process, what has arrived meanwhile must be read before the silence counts.
      if (now - this.#signedAt > SILENCE_MS) this.#heardAt = now
      this.#signedAt = now
      if (now - this.#heardAt > SILENCE_MS) this.close()
      else this.#send({ isAlive: true })
    }, SIGN_OF_LIFE_MS).unref()
    if (head.length > 0) queueMicrotask(() => this.#read(head))
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** @throws {Refusal} the refusal of the other side @throws {Unreachable} if there was no answer */
  call(method: string, ...args: unknown[]): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(lost())
    const call = ++this.#calls
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        this.#waiting.delete(call)
        reject(new Unreachable('The other node gave no answer in time.'))
      }, ANSWER_MS).unref()
      this.#waiting.set(call, { resolve, reject, patience })
      this.#send({ call, method, args })
    })
  }

  tell(what: string, ...args: unknown[]): void {
    if (!this.#isClosed) this.#send({ tell: what, args })
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#signs)
    this.#socket.destroy()
    for (const { reject, patience } of this.#waiting.values()) {
      clearTimeout(patience)
      reject(lost())
    }
    this.#waiting.clear()
    this.#options.onClose()
  }

  #send(frame: Frame): void {
    const body = serialize(frame)
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(body.length)
    this.#socket.write(Buffer.concat([length, body]))
  }

  #read(chunk: Buffer): void {
    this.#heardAt = performance.now()
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (!this.#isClosed && this.#bytes >= this.#needed) {
      const all = this.#joined()
      const length = all.readUInt32BE()
      if (length > MAX_FRAME_BYTES) return this.#giveUp(new Error('a message between nodes is too large'))
      this.#needed = LENGTH_BYTES + length
      if (this.#bytes < this.#needed) return
      const body = all.subarray(LENGTH_BYTES, this.#needed)
      const rest = all.subarray(this.#needed)
      this.#chunks = [rest]
      this.#bytes = rest.length
      this.#needed = LENGTH_BYTES
      let frame: Frame
      try {
        frame = deserialize(body) as Frame
      } catch (error) {
        return this.#giveUp(error)
      }
      this.#receive(frame)
    }
  }

  #giveUp(error: unknown): void {
    this.#options.onError(error, 'failed to read a channel')
    this.close()
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }

  #receive(frame: Frame): void {
    if ('isAlive' in frame) return
    if ('tell' in frame) {
      try {
        this.#options.hear(frame.tell, frame.args)
      } catch (error) {
        this.#options.onError(error, 'failed to follow a message of another node')
      }
      return
    }
    if ('answer' in frame) {
      const waiting = this.#waiting.get(frame.answer)
      if (!waiting) return
      this.#waiting.delete(frame.answer)
      clearTimeout(waiting.patience)
      if ('refusal' in frame) waiting.reject(fromSent(frame.refusal))
      else waiting.resolve(frame.value)
      return
    }
    const { call, method, args } = frame
    this.#options.answer(method, args).then(
      (value) => {
        if (!this.#isClosed) this.#send({ answer: call, value })
      },
      (error: unknown) => {
        const refusal: Refusal = asRefusal(error)
        if (!this.#isClosed) this.#send({ answer: call, refusal: toSent(refusal) })
      },
    )
  }
}

const lost = (): Unreachable => new Unreachable('The connection to the other node was lost.')
