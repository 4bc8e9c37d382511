/** End-to-end encryption of a meeting: its key, and the worker that seals what is sent and opens what is received. */
import { MeetingError } from '../errors.ts'
import type { Owner } from './frames.ts'
import { keyFor, problemOfKey, type MeetingKey, type SharedKey } from './keys.ts'
import type { Frames, FromWorker, ToWorker, Transform } from './messages.ts'

/** How long frames under the former key can still be opened, because not everybody changes the key at the same moment. */
const KEEP_MS = 30_000

/** `RTCRtpSender` or `RTCRtpReceiver`, where frames can be changed. */
interface Transformable {
  transform?: RTCRtpScriptTransform | null
  createEncodedStreams?: () => Frames
}

export class Encryption {
  readonly #meetingId: string
  readonly #worker: Worker
  readonly #listeners = new Map<string, (isOpen: boolean) => void>()
  #keys: readonly MeetingKey[]
  #forgetting: ReturnType<typeof setTimeout> | undefined

  private constructor(meetingId: string, key: MeetingKey) {
    this.#meetingId = meetingId
    this.#keys = [key]
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) =>
      this.#listeners.get(data.streamId)?.(data.isOpen)
    this.#tellKeys()
  }

  /** @throws {MeetingError} INVALID_KEY, ENCRYPTION_UNSUPPORTED */
  static async start(meetingId: string, key: SharedKey): Promise<Encryption> {
    if (!canEncrypt())
      throw new MeetingError(0, 'ENCRYPTION_UNSUPPORTED', 'This browser cannot encrypt a meeting end to end.')
    return new Encryption(meetingId, await checked(key, meetingId))
  }

  /** Twelve digits that are the same for all who have the same key, for people to compare. */
  get phrase(): string {
    return this.#keys[0]!.phrase
  }

  /**
   * Seals with another key from here on, as after somebody left who must not hear the rest. The others need it too.
   * @throws {MeetingError} INVALID_KEY
   */
  async setKey(key: SharedKey): Promise<void> {
    const next = await checked(key, this.#meetingId)
    this.#keys = [next, ...this.#keys.slice(0, 1)]
    this.#tellKeys()
    clearTimeout(this.#forgetting)
    this.#forgetting = setTimeout(() => {
      this.#keys = this.#keys.slice(0, 1)
      this.#tellKeys()
    }, KEEP_MS)
  }

  /** Nothing leaves this sender in the clear from here on. */
  seal(sender: object, stream: Owner & Pick<Transform, 'codec'>): void {
    this.#transform(sender, { ...stream, role: 'seal', streamId: '' })
  }

  /**
   * Only what our key opens comes out of this receiver. Calls `onChange` with whether frames can be opened, with the first ones and
   * when that changes, until `forget`.
   */
  open(receiver: object, stream: Omit<Transform, 'role'>, onChange: (isOpen: boolean) => void): void {
    this.#listeners.set(stream.streamId, onChange)
    this.#transform(receiver, { ...stream, role: 'open' })
  }

  forget(streamId: string): void {
    this.#listeners.delete(streamId)
  }

  close(): void {
    clearTimeout(this.#forgetting)
    this.#listeners.clear()
    this.#worker.terminate()
  }

  #transform(where: Transformable, transform: Transform): void {
    if (typeof RTCRtpScriptTransform === 'function')
      where.transform = new RTCRtpScriptTransform(this.#worker, transform)
    else {
      const { readable, writable } = where.createEncodedStreams!()
      this.#post({ transform: { ...transform, readable, writable } }, [readable, writable])
    }
  }

  #tellKeys(): void {
    this.#post({ keys: this.#keys })
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer)
  }
}

/** Whether the browser hands over encoded frames. */
export function canEncrypt(): boolean {
  return (
    typeof RTCRtpScriptTransform === 'function' ||
    (typeof RTCRtpSender === 'function' && 'createEncodedStreams' in RTCRtpSender.prototype)
  )
}

/** What a connection needs for browsers with `createEncodedStreams` alone. */
export const encodedStreams = { encodedInsertableStreams: true } as Partial<RTCConfiguration>

async function checked(key: SharedKey, meetingId: string): Promise<MeetingKey> {
  const problem = problemOfKey(key)
  if (problem !== undefined) throw new MeetingError(0, 'INVALID_KEY', `The key ${problem}.`)
  return keyFor(key, meetingId)
}
