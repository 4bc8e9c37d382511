/** Reads the frames of one track of a WebM or Matroska file (RFC 9559), in their order. */
import { FileReader, invalidFile } from './read.ts'

export interface WebmFrame {
  /** Of Matroska, e.g. `V_VP8`. */
  codecId: string
  data: Buffer
  isKey: boolean
  /** From the beginning of the file. */
  atMs: number
  /** What a decoder needs before the first frame, if the file has it. */
  configuration: Buffer | undefined
}

const ID = {
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackNumber: 0xd7,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  contentEncodings: 0x6d80,
  cluster: 0x1f43b675,
  clusterTime: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  referenceBlock: 0xfb,
} as const
/** Elements of which the content is read, not skipped. */
const OPENED: ReadonlySet<number> = new Set([ID.segment, ID.cluster])
const LACING = 0x06
const KEY_FRAME = 0x80
const MOST_HEAD_BYTES = 12

interface Track {
  number: number
  codecId: string
  configuration: Buffer | undefined
  isEncoded: boolean
}

/**
 * @param codecIds the first track with one of these is read
 * @throws {MeetingError} FILE_UNREADABLE, INVALID_FILE
 */
export async function* readWebm(path: string, codecIds: readonly string[]): AsyncGenerator<WebmFrame> {
  const file = await FileReader.open(path)
  try {
    let [scaleMs, clusterTime, isFirst] = [1, 0, true]
    let track: Track | undefined
    for (;;) {
      const head = headOf(await file.peek(MOST_HEAD_BYTES), 0)
      if (!head) {
        if (!track)
          throw invalidFile(isFirst ? 'it is not a WebM file' : `it has no track of ${codecIds.join(' or ')}`)
        return
      }
      if (isFirst && head.id !== 0x1a45dfa3) throw invalidFile('it is not a WebM file')
      isFirst = false
      await file.skip(head.bytes)
      if (OPENED.has(head.id)) continue
      if (head.size === undefined) throw invalidFile('the length of a part is not known')
      if (![ID.info, ID.tracks, ID.clusterTime, ID.simpleBlock, ID.blockGroup].some((id) => id === head.id)) {
        await file.skip(head.size)
        continue
      }
      const content = await file.read(head.size)
      if (content.length < head.size) return
      if (head.id === ID.info) {
        const scale = child(content, ID.timestampScale)
        if (scale) scaleMs = numberOf(scale) / 1e6
      } else if (head.id === ID.tracks) track = trackIn(content, codecIds)
      else if (head.id === ID.clusterTime) clusterTime = numberOf(content)
      else if (track) {
        const frame = frameIn(head.id, content, track)
        if (frame) yield { ...frame, atMs: (clusterTime + frame.offset) * scaleMs }
      }
    }
  } finally {
    await file.close()
  }
}

function trackIn(content: Buffer, codecIds: readonly string[]): Track {
  const tracks = children(content)
    .filter(({ id }) => id === ID.track)
    .map(({ content: entry }): Track => {
      const number = child(entry, ID.trackNumber)
      return {
        number: number ? numberOf(number) : 0,
        codecId: child(entry, ID.codecId)?.toString('latin1').replaceAll('\0', '') ?? '',
        configuration: child(entry, ID.codecPrivate),
        isEncoded: child(entry, ID.contentEncodings) !== undefined,
      }
    })
  const track = tracks.find(({ codecId }) => codecIds.includes(codecId))
  if (!track) throw invalidFile(`it has no track of ${codecIds.join(' or ')}`)
  if (track.isEncoded) throw invalidFile('its frames are compressed or encrypted')
  return track
}

function frameIn(
  id: number,
  content: Buffer,
  track: Track,
): (Omit<WebmFrame, 'atMs'> & { offset: number }) | undefined {
  const isSimple = id === ID.simpleBlock
  const block = isSimple ? content : child(content, ID.block)
  if (!block) return undefined
  const number = variable(block, 0)
  if (number?.value !== track.number || block.length < number.bytes + 3) return undefined
  const flags = block[number.bytes + 2]!
  if (flags & LACING) throw invalidFile('several of its frames are in one block')
  return {
    codecId: track.codecId,
    configuration: track.configuration,
    data: block.subarray(number.bytes + 3),
    offset: block.readInt16BE(number.bytes),
    isKey: isSimple ? (flags & KEY_FRAME) !== 0 : child(content, ID.referenceBlock) === undefined,
  }
}

/** @returns undefined where there is none, or only half of one */
function headOf(
  bytes: Buffer,
  at: number,
): { id: number; size: number | undefined; bytes: number } | undefined {
  const id = variable(bytes, at, true)
  const size = id && variable(bytes, at + id.bytes)
  if (!id || !size) return undefined
  return { id: id.value, size: size.isUnknown ? undefined : size.value, bytes: id.bytes + size.bytes }
}

/** A number of one to eight bytes; the zeros at its beginning say how many. */
function variable(
  bytes: Buffer,
  at: number,
  withMark = false,
): { value: number; bytes: number; isUnknown: boolean } | undefined {
  const first = bytes[at]
  if (first === undefined || first === 0) return undefined
  const length = Math.clz32(first) - 23
  if (at + length > bytes.length) return undefined
  let value = withMark ? first : first & (0xff >> length)
  let isUnknown = (first & (0xff >> length)) === 0xff >> length
  for (let next = at + 1; next < at + length; next++) {
    value = value * 256 + bytes[next]!
    isUnknown &&= bytes[next] === 0xff
  }
  return { value, bytes: length, isUnknown }
}

function children(content: Buffer): { id: number; content: Buffer }[] {
  const found: { id: number; content: Buffer }[] = []
  for (let at = 0; at < content.length;) {
    const head = headOf(content, at)
    if (head?.size === undefined) break
    found.push({ id: head.id, content: content.subarray(at + head.bytes, at + head.bytes + head.size) })
    at += head.bytes + head.size
  }
  return found
}

function child(content: Buffer, id: number): Buffer | undefined {
  return children(content).find((one) => one.id === id)?.content
}

function numberOf(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0)
}
