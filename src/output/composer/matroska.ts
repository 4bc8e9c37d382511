/**
 * Cuts a live Matroska stream, as MediaRecorder writes it, into pieces that can be put together again: what describes the
 * streams, then clusters. Whoever comes later begins with the first and goes on with a cluster that begins with a key frame.
 */

export interface Piece {
  bytes: Buffer
  /** Whether a reader may begin with it. */
  isEntry: boolean
}

interface TimedPiece extends Piece {
  /** When what begins in it was captured, in ms from the beginning. */
  ms: number
}

const CLUSTER = 0x1f43b675
const SEGMENT = 0x18538067
const TRACKS = 0x1654ae6b
const TRACK_ENTRY = 0xae
const TRACK_NUMBER = 0xd7
const TRACK_TYPE = 0x83
const CLUSTER_TIME = 0xe7
const SIMPLE_BLOCK = 0xa3
const BLOCK_GROUP = 0xa0
const VIDEO = 1
const KEY_FRAME = 0x80
/** An element that is larger than this is none that a browser writes. */
const MAX_ELEMENT_BYTES = 64 * 1024 * 1024

export class MatroskaError extends Error {
  override readonly name = 'MatroskaError'
}

interface Head {
  id: number
  /** Undefined: until the next of its kind. */
  size: number | undefined
  length: number
}

export class MatroskaSplitter {
  readonly #onPiece: (piece: TimedPiece) => void
  #rest: Buffer = Buffer.alloc(0)
  #init: Buffer[] | undefined = []
  #videoTrack: number | undefined
  #hasBegun = false
  /** Of a cluster of which it is not known yet whether it is an entry. */
  #undecided: Buffer[] | undefined
  #undecidedMs = 0

  constructor(onPiece: (piece: TimedPiece) => void) {
    this.#onPiece = onPiece
  }

  /** What is before the first cluster; undefined while it is incomplete. */
  init: Buffer | undefined

  #clusterMs = 0
  #reachedMs = 0

  /** How far the picture has come since the beginning; the sound, where there is no picture. */
  get reachedMs(): number {
    return this.#reachedMs
  }

  /** @throws {MatroskaError} */
  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const head = readHead(this.#rest)
      if (!head) return
      const isContainer = head.id === CLUSTER || head.id === SEGMENT
      if (head.size === undefined && !isContainer)
        throw new MatroskaError(`An element of unknown length cannot be read (${head.id.toString(16)}).`)
      const length = head.length + (isContainer ? 0 : head.size!)
      if (length > MAX_ELEMENT_BYTES) throw new MatroskaError('An element is too long.')
      if (this.#rest.length < length) return
      const bytes = this.#rest.subarray(0, length)
      this.#rest = this.#rest.subarray(length)
      this.#take(head, bytes)
    }
  }

  /** Gives out what waits for a decision. */
  end(): void {
    this.#decide(false)
  }

  #take({ id, length }: Head, bytes: Buffer): void {
    if (id === CLUSTER) {
      if (this.#init) {
        this.init = Buffer.concat(this.#init)
        this.#init = undefined
      }
      this.#decide(false)
      this.#undecided = [bytes]
      this.#undecidedMs = this.#clusterMs
      // Every piece of sound alone can be begun with.
      if (this.#videoTrack === undefined) this.#decide(true)
      return
    }
    if (this.#init) {
      this.#init.push(bytes)
      if (id === TRACKS) this.#videoTrack = videoTrackOf(bytes.subarray(length))
      return
    }
    const frame = id === SIMPLE_BLOCK ? readBlock(bytes.subarray(length)) : undefined
    if (id === CLUSTER_TIME) this.#clusterMs = this.#undecidedMs = unsigned(bytes.subarray(length))
    else if (frame) this.#reach(frame)
    const ms = this.#clusterMs + (frame?.ms ?? 0)
    if (!this.#undecided) {
      this.#onPiece({ bytes, isEntry: false, ms })
      return
    }
    this.#undecided.push(bytes)
    if (frame?.track === this.#videoTrack) this.#decide(frame?.isKey ?? false)
    else if (id === BLOCK_GROUP) this.#decide(false)
  }

  #reach({ track, ms }: Frame): void {
    if (this.#videoTrack === undefined || track === this.#videoTrack) this.#reachedMs = this.#clusterMs + ms
  }

  #decide(isEntry: boolean): void {
    if (!this.#undecided) return
    // Whatever comes first, nothing is missing before it.
    const isFirst = !this.#hasBegun
    this.#hasBegun = true
    const bytes = Buffer.concat(this.#undecided)
    this.#undecided = undefined
    this.#onPiece({ bytes, isEntry: isEntry || isFirst, ms: this.#undecidedMs })
  }
}

interface Frame {
  track: number
  /** From the time of its cluster. */
  ms: number
  isKey: boolean
}

/** Undefined: there are not enough bytes yet. @throws {MatroskaError} */
function readHead(bytes: Buffer): Head | undefined {
  const id = readNumber(bytes, 0, true)
  if (!id) return undefined
  const size = readNumber(bytes, id.length, false)
  if (!size) return undefined
  const isUnknown = size.value === 2 ** (7 * size.length) - 1
  return { id: id.value, size: isUnknown ? undefined : size.value, length: id.length + size.length }
}

function readNumber(
  bytes: Buffer,
  at: number,
  withMarker: boolean,
): { value: number; length: number } | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  const length = Math.clz32(first) - 23
  if (length > 8) throw new MatroskaError('This is not Matroska.')
  if (bytes.length < at + length) return undefined
  let value = withMarker ? first : first & (0xff >> length)
  for (let i = 1; i < length; i++) value = value * 256 + bytes[at + i]!
  return { value, length }
}

/** Browsers count in milliseconds. */
function readBlock(body: Buffer): Frame | undefined {
  const track = readNumber(body, 0, false)
  if (!track || body.length < track.length + 3) return undefined
  const flags = body[track.length + 2]!
  return { track: track.value, ms: body.readInt16BE(track.length), isKey: (flags & KEY_FRAME) !== 0 }
}

function unsigned(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0)
}

/** Undefined: there is no picture. */
function videoTrackOf(tracks: Buffer): number | undefined {
  for (const entry of children(tracks)) {
    if (entry.id !== TRACK_ENTRY) continue
    const fields = [...children(entry.body)]
    const valueOf = (id: number): number | undefined => fields.find((field) => field.id === id)?.body.at(-1)
    if (valueOf(TRACK_TYPE) === VIDEO) return valueOf(TRACK_NUMBER)
  }
  return undefined
}

function* children(body: Buffer): Generator<{ id: number; body: Buffer }> {
  for (let at = 0; at < body.length;) {
    const head = readHead(body.subarray(at))
    if (head?.size === undefined) return
    yield { id: head.id, body: body.subarray(at + head.length, at + head.length + head.size) }
    at += head.length + head.size
  }
}
