/**
 * The key of those who are present. Everybody who has the shared key may ask for it; when somebody leaves, the others make a new one that
 * the one who left does not get, although that person still has the shared key (docs/encryption.md).
 *
 * Messages travel as chat that is not kept, so the server passes them on and cannot read them: a key is sealed for each receiver under a
 * secret of the two (ECDH), and both prove that they have the shared key.
 */
import type { ChatMessage } from '../chat.ts'
import type { GroupKey, MeetingKey } from './keys.ts'

export const GROUP_TOPIC = 'anteroom.encryption'

/** What the group needs of its meeting. */
export interface GroupMeeting {
  selfId: () => string
  /** Whether somebody with this id is in the meeting now. */
  isPresent: (participantId: string) => boolean
  publish: (topic: string, text: string, to: string[]) => Promise<void>
}

export interface GroupOptions {
  /** The new key opens frames from now on, and seals ours after so long. */
  onKey: (key: MeetingKey, sealInMs: number) => void
  /** Default: the timers of the platform. */
  setTimer?: (callback: () => void, ms: number) => unknown
}

type Bytes = Uint8Array<ArrayBuffer>

/** Which of two keys counts: the one with the greater number, or of the greater maker. */
interface Version {
  number: number
  maker: string
}

interface Epoch extends Version {
  secret: Bytes
}

/** Says who we are, and which key we have. */
interface Hello {
  type: 'hello'
  publicKey: string
  version: Version | null
  /** That the sender has the shared key. */
  proof: string
  /** Asks everybody to answer. */
  asks: boolean
}

/** The key for some of the others, sealed for each. */
interface Sealed {
  type: 'key'
  version: Version
  /** By participant. */
  sealed: Record<string, string>
}

/** By then, the others have a new key too. */
const SEAL_IN_MS = 1000
/** Who makes the new key does so after this; the others, one after the other, if that one did not. */
const [FIRST_TURN_MS, TURN_MS] = [200, 3000]
/** How often somebody without a key asks. */
const ASK_MS = 3000
const IV_BYTES = 12
/** Receivers in one message, which stays below the size of a chat message. */
const MOST_RECEIVERS = 150
/** A member who claims more would keep the others from making another key. */
const MOST_NUMBER = 2 ** 40
const CURVE = { name: 'ECDH', namedCurve: 'P-256' } as const
const utf8 = new TextEncoder()

export class Group {
  readonly #meeting: GroupMeeting
  readonly #options: Required<GroupOptions>
  readonly #own: CryptoKeyPair
  readonly #publicKey: string
  #shared: GroupKey
  /** The public keys of those who proved that they have the shared key. The first one of a participant counts until it leaves. */
  readonly #members = new Map<string, { publicKey: string; version: Version | null }>()
  #epoch: Epoch | undefined
  /** The greatest number that anybody used. */
  #highest = 0
  #isClosed = false
  /** One message after the other. */
  #work: Promise<void> = Promise.resolve()

  private constructor(
    meeting: GroupMeeting,
    shared: GroupKey,
    options: GroupOptions,
    own: CryptoKeyPair,
    publicKey: string,
  ) {
    this.#meeting = meeting
    this.#shared = shared
    this.#options = { setTimer: (callback, ms) => setTimeout(callback, ms), ...options }
    this.#own = own
    this.#publicKey = publicKey
  }

  static async start(meeting: GroupMeeting, shared: GroupKey, options: GroupOptions): Promise<Group> {
    const own = await crypto.subtle.generateKey(CURVE, false, ['deriveBits'])
    const raw = new Uint8Array(await crypto.subtle.exportKey('raw', own.publicKey))
    return new Group(meeting, shared, options, own, toText(raw))
  }

  /** Call it when we are in the meeting, again after a reconnection, and when a stream cannot be opened. */
  ask(): void {
    this.#do(() => this.#hello([], true))
  }

  /** Asks until there is a key, as long as somebody is there. */
  keepAsking(someoneIsThere: () => boolean): void {
    const { setTimer } = this.#options
    const again = (): void => {
      if (this.#isClosed) return
      if (!this.#epoch && someoneIsThere()) this.ask()
      setTimer(again, ASK_MS)
    }
    setTimer(again, ASK_MS)
  }

  /** Those with the former shared key are not of the group any more. */
  setShared(shared: GroupKey): void {
    this.#shared = shared
    this.#members.clear()
    this.#epoch = undefined
    this.ask()
  }

  /** Others may have said who they are before we knew that they joined. */
  joined(participantId: string): void {
    if (this.#members.has(participantId)) this.#do(() => this.#answer(participantId))
  }

  left(participantId: string): void {
    if (!this.#members.delete(participantId) || !this.#epoch) return
    const before = this.#epoch
    const place = this.#present().filter((id) => id < this.#meeting.selfId()).length
    this.#options.setTimer(
      () => {
        // Another one was quicker, or one key is enough for several who left.
        this.#do(async () => {
          if (this.#epoch === before) await this.#make()
        })
      },
      FIRST_TURN_MS + place * TURN_MS,
    )
  }

  hear({ from, text }: Pick<ChatMessage, 'from' | 'text'>): void {
    if (from === this.#meeting.selfId()) return
    const message = read(text)
    if (message?.type === 'hello') this.#do(() => this.#meet(from, message))
    else if (message?.type === 'key') this.#do(() => this.#receive(from, message))
  }

  close(): void {
    this.#isClosed = true
  }

  #do(step: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#isClosed) return
      // Whoever misses a message asks again.
      await step().catch(() => undefined)
    })
  }

  /** Members who are in the meeting. */
  #present(): string[] {
    return [...this.#members.keys()].filter((id) => this.#meeting.isPresent(id))
  }

  async #hello(to: string[], asks: boolean): Promise<void> {
    const selfId = this.#meeting.selfId()
    const version = this.#epoch ? versionOf(this.#epoch) : null
    const proof = toText(await this.#proof(selfId, this.#publicKey, version))
    const hello: Hello = { type: 'hello', publicKey: this.#publicKey, version, proof, asks }
    await this.#publish(hello, to)
  }

  async #meet(from: string, { publicKey, version, proof, asks }: Hello): Promise<void> {
    const expected = await this.#proof(from, publicKey, version)
    if (!isSame(expected, fromText(proof))) return
    const known = this.#members.get(from)
    // Another key under the same name: somebody else, perhaps one who left and works together with the server.
    if (known && known.publicKey !== publicKey) return
    this.#members.set(from, { publicKey, version })
    if (version) this.#highest = Math.max(this.#highest, version.number)
    if (asks) await this.#hello([from], false)
    await this.#answer(from)
  }

  /** Gives our key to somebody who has none, or an older one; makes one if nobody has any. */
  async #answer(to: string): Promise<void> {
    const member = this.#members.get(to)
    if (!member || !this.#meeting.isPresent(to)) return
    if (this.#epoch) {
      if (!member.version || isNewer(this.#epoch, member.version)) await this.#share([to])
      return
    }
    const others = this.#present()
    const isFirst = others.every((id) => this.#meeting.selfId() < id)
    if (isFirst && others.every((id) => !this.#members.get(id)!.version)) await this.#make()
  }

  async #make(): Promise<void> {
    this.#highest++
    const secret = crypto.getRandomValues(new Uint8Array(32))
    const epoch = { number: this.#highest, maker: this.#meeting.selfId(), secret }
    const had = this.#epoch !== undefined
    this.#epoch = epoch
    await this.#share(this.#present())
    await this.#use(epoch, had)
  }

  async #share(to: readonly string[]): Promise<void> {
    const epoch = this.#epoch!
    const version = versionOf(epoch)
    for (let at = 0; at < to.length; at += MOST_RECEIVERS) {
      const sealed: Sealed['sealed'] = {}
      for (const id of to.slice(at, at + MOST_RECEIVERS)) {
        const member = this.#members.get(id)
        if (!member) continue
        const key = await this.#between(this.#meeting.selfId(), id, member.publicKey)
        const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
        const additionalData = utf8.encode(JSON.stringify(version))
        const bytes = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, epoch.secret)
        sealed[id] = toText(Uint8Array.of(...iv, ...new Uint8Array(bytes)))
        member.version = version
      }
      await this.#publish({ type: 'key', version, sealed }, to.length === 1 ? [to[0]!] : [])
    }
  }

  async #receive(from: string, { version, sealed }: Sealed): Promise<void> {
    const text = sealed[this.#meeting.selfId()]
    const member = this.#members.get(from)
    if (text === undefined || (this.#epoch && !isNewer(version, this.#epoch))) return
    // A key of somebody whom we have not met: we miss a message.
    if (!member) return this.#hello([from], true)
    const bytes = fromText(text)
    const key = await this.#between(from, this.#meeting.selfId(), member.publicKey)
    const opened = await crypto.subtle.decrypt(
      {
        name: 'AES-GCM',
        iv: bytes.subarray(0, IV_BYTES),
        additionalData: utf8.encode(JSON.stringify(versionOf(version))),
      },
      key,
      bytes.subarray(IV_BYTES),
    )
    member.version = version
    this.#highest = Math.max(this.#highest, version.number)
    const had = this.#epoch !== undefined
    this.#epoch = { ...versionOf(version), secret: new Uint8Array(opened) }
    await this.#use(this.#epoch, had)
  }

  async #use(epoch: Epoch, hadAnother: boolean): Promise<void> {
    const key = await this.#shared.framesOf(epoch.secret)
    if (this.#epoch === epoch) this.#options.onKey(key, hadAnother ? SEAL_IN_MS : 0)
  }

  /** The key under which one of two seals for the other. */
  async #between(from: string, to: string, publicKey: string): Promise<CryptoKey> {
    const theirs = await crypto.subtle.importKey('raw', fromText(publicKey), CURVE, false, [])
    const secret = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, this.#own.privateKey, 256)
    const isOurs = from === this.#meeting.selfId()
    const keys = isOurs ? [this.#publicKey, publicKey] : [publicKey, this.#publicKey]
    return this.#shared.between(new Uint8Array(secret), JSON.stringify([from, to, ...keys]))
  }

  #proof(from: string, publicKey: string, version: Version | null): Promise<Bytes> {
    return this.#shared.prove(JSON.stringify([from, publicKey, version && versionOf(version)]))
  }

  #publish(message: Hello | Sealed, to: string[]): Promise<void> {
    return this.#meeting.publish(GROUP_TOPIC, JSON.stringify(message), to)
  }
}

const versionOf = ({ number, maker }: Version): Version => ({ number, maker })

function isNewer(one: Version, other: Version): boolean {
  return one.number > other.number || (one.number === other.number && one.maker > other.maker)
}

/** Undefined for what is no message of ours. */
function read(text: string): Hello | Sealed | undefined {
  try {
    const { type, publicKey, version, proof, asks, sealed } = JSON.parse(text) as Record<string, unknown>
    if (version !== null && !isVersion(version)) return undefined
    if (type === 'hello' && typeof publicKey === 'string' && typeof proof === 'string')
      return { type, publicKey, version, proof, asks: asks === true }
    if (type === 'key' && version && typeof sealed === 'object' && sealed !== null)
      return { type, version, sealed: sealed as Record<string, string> }
  } catch {
    // Anybody may write to the topic.
  }
  return undefined
}

function isVersion(value: unknown): value is Version {
  if (typeof value !== 'object' || value === null) return false
  const { number, maker } = value as Record<string, unknown>
  return (
    Number.isInteger(number) &&
    (number as number) > 0 &&
    (number as number) < MOST_NUMBER &&
    typeof maker === 'string'
  )
}

function isSame(one: Bytes, other: Bytes): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}

const toText = (bytes: Bytes): string => btoa(String.fromCharCode(...bytes))
const fromText = (text: string): Bytes => Uint8Array.from(atob(text), (one) => one.charCodeAt(0))
