/** End-to-end encryption of a meeting: its key, and the worker that seals what is sent and opens what is received. */
import { MeetingError } from '../errors.ts'
import type { Owner } from './frames.ts'
import { Group, type GroupMeeting } from './group.ts'
import { groupKey, nobodysKey, problemOfKey, type GroupKey, type MeetingKey, type SharedKey } from './keys.ts'
import type { Frames, FromWorker, ToWorker, Transform } from './messages.ts'

/** How long frames under the former key can still be opened, because not everybody changes the key at the same moment. */
const KEEP_MS = 30_000
/** Somebody with whom nobody shares a key sends what nobody can open after this, so that the others can tell. */
const ALONE_MS = 3000

/** `RTCRtpSender` or `RTCRtpReceiver`, where frames can be changed. */
interface Transformable {
  transform?: RTCRtpScriptTransform | null
  createEncodedStreams?: () => Frames
}

export class Encryption {
  readonly #meetingId: string
  readonly #worker: Worker
  readonly #listeners = new Map<string, (isOpen: boolean) => void>()
  #shared: GroupKey
  #group: Group | undefined
  /** What opens frames, newest first. */
  #keys: readonly MeetingKey[] = []
  #sealing: MeetingKey | undefined
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  #isClosed = false

  private constructor(meetingId: string, shared: GroupKey) {
    this.#meetingId = meetingId
    this.#shared = shared
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
    this.#worker.onmessage = ({ data: { streamId, isOpen } }: MessageEvent<FromWorker>) => {
      this.#listeners.get(streamId)?.(isOpen)
      // It may be that we missed a key.
      if (!isOpen) this.#group?.ask()
    }
  }

  /** @throws {MeetingError} INVALID_KEY, ENCRYPTION_UNSUPPORTED */
  static async start(meetingId: string, key: SharedKey): Promise<Encryption> {
    if (!canEncrypt())
      throw new MeetingError(0, 'ENCRYPTION_UNSUPPORTED', 'This browser cannot encrypt a meeting end to end.')
    return new Encryption(meetingId, await checked(key, meetingId))
  }

  /** Agrees on a key with those who are in this meeting and have the shared key. Without one, nothing is sent. */
  async attach(meeting: GroupMeeting): Promise<Group | undefined> {
    const group = await Group.start(meeting, this.#shared, {
      onKey: (key, sealInMs) => this.#take(key, sealInMs),
    })
    if (this.#isClosed) return undefined
    this.#sealForNobody()
    return (this.#group = group)
  }

  /** Twelve digits that are the same for all who have the same key, for people to compare. */
  get phrase(): string {
    return this.#shared.phrase
  }

  /**
   * Takes another shared key from here on. The others need it too. When somebody leaves, this is not needed: the others then agree on a
   * new key by themselves.
   * @throws {MeetingError} INVALID_KEY
   */
  async setKey(key: SharedKey): Promise<void> {
    this.#shared = await checked(key, this.#meetingId)
    this.#sealing = undefined
    this.#tellKeys()
    this.#sealForNobody()
    this.#group?.setShared(this.#shared)
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
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#group?.close()
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

  /** A key of the group: it opens from now on, and seals when the others have it too. */
  #take(key: MeetingKey, sealInMs: number): void {
    if (this.#isClosed) return
    const shared = this.#shared
    this.#keys = [key, ...this.#keys]
    this.#tellKeys()
    const seal = (): void => {
      // A key that comes meanwhile does not stop this one: the former key must not stay in use while people come and go all the time.
      if (this.#shared === shared && !this.#isOlderThanSealing(key)) this.#sealWith(key)
    }
    if (sealInMs === 0) seal()
    else this.#after(sealInMs, seal)
  }

  #isOlderThanSealing(key: MeetingKey): boolean {
    const sealing = this.#sealing ? this.#keys.indexOf(this.#sealing) : -1
    return sealing !== -1 && sealing < this.#keys.indexOf(key)
  }

  #sealWith(key: MeetingKey): void {
    this.#sealing = key
    this.#tellKeys()
    this.#after(KEEP_MS, () => {
      this.#keys = this.#keys.slice(0, Math.max(1, this.#keys.indexOf(key) + 1))
      this.#tellKeys()
    })
  }

  #sealForNobody(): void {
    this.#after(ALONE_MS, () => {
      if (this.#sealing) return
      void nobodysKey().then((key) => {
        this.#sealing ??= key
        this.#tellKeys()
      })
    })
  }

  #after(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      callback()
    }, ms)
    this.#timers.add(timer)
  }

  #tellKeys(): void {
    if (!this.#isClosed) this.#post({ keys: { seal: this.#sealing, open: this.#keys } })
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

async function checked(key: SharedKey, meetingId: string): Promise<GroupKey> {
  const problem = problemOfKey(key)
  if (problem !== undefined) throw new MeetingError(0, 'INVALID_KEY', `The key ${problem}.`)
  return groupKey(key, meetingId)
}
