/**
 * Seals encoded frames and opens them again. A sealed frame is
 *
 *     head, in the clear | AES-GCM of the rest, with its tag | nonce (12) | key id (1) | version (1)
 *
 * The head is what the server and the packetizer read. In H264 everything behind it is escaped, so that it contains no start code.
 */
import type { MeetingKey } from './keys.ts'

export type Codec = 'opus' | 'vp8' | 'h264'

export interface FrameFacts {
  codec: Codec
  isKeyFrame: boolean
}

/** Whose stream it is. A frame that is passed off as another's cannot be opened. */
export interface Owner {
  participantId: string
  kind: string
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
const TRAILER_BYTES = NONCE_BYTES + 2
/** Never 0: a NAL unit must not end with a zero byte. */
const VERSION = 1
const MAX_COUNTER = 0xffff_ffff
/** How far a frame may be behind the newest one. */
const WINDOW = 1024
/** Senders that start over, as after a reconnection. */
const MAX_SENDINGS = 16
const utf8 = new TextEncoder()

type Bytes = Uint8Array<ArrayBuffer>

/** How many bytes of a frame stay in the clear; undefined if the frame is not as its codec says. */
export function headOf(frame: Bytes, { codec, isKeyFrame }: FrameFacts): number | undefined {
  if (codec === 'h264') return headOfH264(frame)
  const head = codec === 'opus' ? 1 : isKeyFrame ? 10 : 3
  return frame.length >= head ? head : undefined
}

/** Up to the first slice, with the two bytes in which a server looks for the type of the frame (ITU-T H.264 §7.3.1). */
function headOfH264(frame: Bytes): number | undefined {
  for (let at = 0; at + 3 < frame.length; at++) {
    if (frame[at] !== 0 || frame[at + 1] !== 0 || frame[at + 2] !== 1) continue
    const type = frame[at + 3]! & 0x1f
    if (type === 1 || type === 5) return Math.min(at + 6, frame.length)
  }
  return undefined
}

/** Inserts a 3 where 0 0 is followed by 0 to 3 (ITU-T H.264 §7.4.1). `before` precedes the bytes. */
export function escaped(bytes: Bytes, before: Bytes): Bytes {
  // At most every second byte gets one before it.
  const out = new Uint8Array(Math.ceil(bytes.length * 1.5))
  let [zeros, length] = [zerosAtEnd(before), 0]
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= 3) {
      out[length++] = 3
      zeros = 0
    }
    out[length++] = byte
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return out.slice(0, length)
}

export function unescaped(bytes: Bytes, before: Bytes): Bytes {
  const out = new Uint8Array(bytes.length)
  let [zeros, length] = [zerosAtEnd(before), 0]
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0
      continue
    }
    out[length++] = byte
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return out.slice(0, length)
}

function zerosAtEnd(bytes: Bytes): number {
  let count = 0
  while (count < bytes.length && bytes[bytes.length - 1 - count] === 0) count++
  return count
}

/** Seals the frames of one stream, with all its layers. */
export class Sealer {
  readonly #owner: Bytes
  readonly #nonce = new Uint8Array(NONCE_BYTES)
  #counter = 0

  constructor(owner: Owner) {
    this.#owner = bytesOf(owner)
    this.#startNonces()
  }

  /** Returns undefined for a frame that must not be sent. */
  async seal(frame: Bytes, facts: FrameFacts, { frames: key, id }: MeetingKey): Promise<Bytes | undefined> {
    const headBytes = headOf(frame, facts)
    if (headBytes === undefined) return undefined
    const head = frame.subarray(0, headBytes)
    const iv = this.#nextNonce()
    const additionalData = joined(head, this.#owner)
    const sealed = await crypto.subtle.encrypt(
      { name: 'AES-GCM', iv, additionalData },
      key,
      frame.subarray(headBytes),
    )
    const rest = joined(new Uint8Array(sealed), iv, Uint8Array.of(id, VERSION))
    return joined(head, facts.codec === 'h264' ? escaped(rest, head) : rest)
  }

  #nextNonce(): Bytes {
    if (this.#counter === MAX_COUNTER) this.#startNonces()
    new DataView(this.#nonce.buffer).setUint32(8, ++this.#counter)
    return this.#nonce.slice()
  }

  /** Eight random bytes and a counter: never twice under one key. */
  #startNonces(): void {
    crypto.getRandomValues(this.#nonce.subarray(0, 8))
    this.#counter = 0
  }
}

/** Opens the frames of one stream, each once. */
export class Opener {
  readonly #owner: Bytes
  /** By the random part of the nonce, newest last. */
  readonly #seen = new Map<string, Seen>()

  constructor(owner: Owner) {
    this.#owner = bytesOf(owner)
  }

  /** Returns undefined for a frame that none of the keys opens, or that was opened before. */
  async open(frame: Bytes, facts: FrameFacts, keys: readonly MeetingKey[]): Promise<Bytes | undefined> {
    const headBytes = headOf(frame, facts)
    if (headBytes === undefined) return undefined
    const head = frame.subarray(0, headBytes)
    const tail = frame.subarray(headBytes)
    const rest = facts.codec === 'h264' ? unescaped(tail, head) : tail
    const end = rest.length - TRAILER_BYTES
    if (end < TAG_BYTES || rest.at(-1) !== VERSION) return undefined
    const iv = rest.subarray(end, end + NONCE_BYTES)
    const additionalData = joined(head, this.#owner)
    for (const { frames: key, id } of keys) {
      if (id !== rest.at(-2)) continue
      const opened = await crypto.subtle
        .decrypt({ name: 'AES-GCM', iv, additionalData }, key, rest.subarray(0, end))
        .catch(() => undefined)
      if (opened) return this.#isNew(iv) ? joined(head, new Uint8Array(opened)) : undefined
    }
    return undefined
  }

  #isNew(iv: Bytes): boolean {
    const sending = String.fromCharCode(...iv.subarray(0, 8))
    const counter = new DataView(iv.buffer, iv.byteOffset).getUint32(8)
    const seen = this.#seen.get(sending) ?? new Seen()
    if (!seen.add(counter)) return false
    this.#seen.set(sending, seen)
    const [oldest] = this.#seen.keys()
    if (this.#seen.size > MAX_SENDINGS) this.#seen.delete(oldest!)
    return true
  }
}

/** Which numbers of a sequence have come. */
class Seen {
  #newest = 0
  readonly #recent = new Set<number>()

  /** Whether it is new. What is too old to tell is not. */
  add(counter: number): boolean {
    if (counter <= this.#newest - WINDOW || this.#recent.has(counter)) return false
    this.#recent.add(counter)
    this.#newest = Math.max(this.#newest, counter)
    if (this.#recent.size > 2 * WINDOW)
      for (const one of this.#recent) if (one <= this.#newest - WINDOW) this.#recent.delete(one)
    return true
  }
}

function bytesOf({ participantId, kind }: Owner): Bytes {
  return utf8.encode(`${participantId}\0${kind}`)
}

function joined(...parts: Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
