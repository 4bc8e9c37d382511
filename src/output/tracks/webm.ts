/** The parts of a WebM file. Fields that are overwritten at the end have a fixed length. */
import { OPUS_HEAD, OPUS_RATE } from '../../rtp/codecs/opus.ts'
import type { Size, VideoCodec } from '../../rtp/codecs/codec.ts'
import { double, element, filler, ID, idBytes, sizeOfLength, text, UNKNOWN_SIZE, unsigned } from './ebml.ts'

export interface VideoTrack {
  codec: VideoCodec['id']
  size: Size
  configuration?: Buffer | undefined
}

export interface Tracks {
  audio: boolean
  video: VideoTrack | undefined
}

export const VIDEO = 1
export const AUDIO = 2
const TITLE = 'Anteroom'
/** From 1970 to 2001, where Matroska's dates begin. */
const DATE_EPOCH_MS = 978_307_200_000
/** Longer than any seek head; see `seekHead`. */
const SEEK_HEAD_BYTES = 80
const SEEK_PRE_ROLL_NS = 80_000_000

/** Whether WebM allows the codec; a file with another codec is Matroska. */
export function isWebm({ video }: Tracks): boolean {
  return video?.codec !== 'V_MPEG4/ISO/AVC'
}

export interface FileHead {
  bytes: Buffer
  /** The positions of the segment's size, which has 8 bytes, and of its content. */
  segmentSizeAt: number
  segmentAt: number
  seekHeadAt: number
  infoAt: number
  durationAt: number
  tracksAt: number
}

/** @param startedAt ms since the epoch */
export function fileHead(tracks: Tracks, startedAt: number): FileHead {
  const head = element(
    ID.head,
    unsigned(0x4286, 1),
    unsigned(0x42f7, 1),
    unsigned(0x42f2, 4),
    unsigned(0x42f3, 8),
    text(0x4282, isWebm(tracks) ? 'webm' : 'matroska'),
    unsigned(0x4287, 4),
    unsigned(0x4285, 2),
  )
  const segment = Buffer.concat([idBytes(ID.segment), UNKNOWN_SIZE])
  const date = Buffer.alloc(8)
  date.writeBigInt64BE(BigInt(Math.round(startedAt - DATE_EPOCH_MS)) * 1_000_000n)
  const info = element(
    ID.info,
    // Comes first, so that its position is easy to find.
    durationElement(0),
    unsigned(ID.timestampScale, 1_000_000),
    element(ID.date, date),
    text(ID.muxingApp, TITLE),
    text(ID.writingApp, TITLE),
  )
  const described = element(
    ID.tracks,
    ...(tracks.video ? [videoEntry(tracks.video)] : []),
    ...(tracks.audio ? [audioEntry()] : []),
  )
  const segmentAt = head.length + segment.length
  const infoAt = segmentAt + SEEK_HEAD_BYTES
  return {
    bytes: Buffer.concat([head, segment, filler(SEEK_HEAD_BYTES), info, described]),
    segmentSizeAt: segmentAt - UNKNOWN_SIZE.length,
    segmentAt,
    seekHeadAt: segmentAt,
    infoAt,
    durationAt: infoAt + info.indexOf(idBytes(ID.duration)),
    tracksAt: infoAt + info.length,
  }
}

export const durationElement = (ms: number): Buffer => double(ID.duration, ms)

function videoEntry({ codec, size, configuration }: VideoTrack): Buffer {
  return element(
    ID.track,
    unsigned(ID.trackNumber, VIDEO),
    unsigned(ID.trackUid, VIDEO),
    unsigned(ID.trackType, 1),
    unsigned(ID.lacing, 0),
    text(ID.codecId, codec),
    ...(configuration ? [element(ID.codecPrivate, configuration)] : []),
    element(ID.video, unsigned(ID.pixelWidth, size.width), unsigned(ID.pixelHeight, size.height)),
  )
}

function audioEntry(): Buffer {
  const rate = Buffer.alloc(8)
  rate.writeDoubleBE(OPUS_RATE)
  return element(
    ID.track,
    unsigned(ID.trackNumber, AUDIO),
    unsigned(ID.trackUid, AUDIO),
    unsigned(ID.trackType, 2),
    unsigned(ID.lacing, 0),
    text(ID.codecId, 'A_OPUS'),
    unsigned(ID.seekPreRoll, SEEK_PRE_ROLL_NS),
    element(ID.codecPrivate, OPUS_HEAD),
    element(ID.audio, element(ID.samplingFrequency, rate), unsigned(ID.channels, 2)),
  )
}

/** The beginning of a cluster; its size, at offset 4, is written when it is full. */
export function clusterHead(timeMs: number): Buffer {
  return Buffer.concat([idBytes(ID.cluster), UNKNOWN_SIZE, unsigned(ID.timestamp, timeMs, 6)])
}
export const CLUSTER_SIZE_AT = 4
/** The size of the id and the size field. */
export const CLUSTER_HEAD_BYTES = CLUSTER_SIZE_AT + UNKNOWN_SIZE.length

/** @param offsetMs from the time of its cluster, as a signed 16-bit number */
export function simpleBlock(track: number, offsetMs: number, isKey: boolean, data: Buffer): Buffer[] {
  const head = Buffer.alloc(4)
  head[0] = 0x80 | track
  head.writeInt16BE(offsetMs, 1)
  head[3] = isKey ? 0x80 : 0
  return [idBytes(ID.simpleBlock), sizeOfLength(head.length + data.length, 4), head, data]
}

export interface CuePoint {
  timeMs: number
  /** The position of a cluster in the segment's content. */
  position: number
}

/** The index for seeking. */
export function cuesOf(points: readonly CuePoint[], track: number): Buffer {
  return element(
    ID.cues,
    ...points.map(({ timeMs, position }) =>
      element(
        ID.cuePoint,
        unsigned(ID.cueTime, timeMs),
        element(
          ID.cueTrackPositions,
          unsigned(ID.cueTrack, track),
          unsigned(ID.cueClusterPosition, position),
        ),
      ),
    ),
  )
}

/** The positions of the other elements; as long as the space that it replaces. */
export function seekHead(positions: { info: number; tracks: number; cues: number }): Buffer {
  const seek = (id: number, position: number): Buffer =>
    element(ID.seek, element(ID.seekId, idBytes(id)), unsigned(ID.seekPosition, position, 8))
  const bytes = element(
    ID.seekHead,
    seek(ID.info, positions.info),
    seek(ID.tracks, positions.tracks),
    seek(ID.cues, positions.cues),
  )
  return Buffer.concat([bytes, filler(SEEK_HEAD_BYTES - bytes.length)])
}

/** When a file began, in ms since the epoch. */
export function readDate(content: Buffer): number {
  return Number(content.readBigInt64BE() / 1_000_000n) + DATE_EPOCH_MS
}
